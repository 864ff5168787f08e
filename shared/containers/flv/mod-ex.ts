// The part that audio and video tag headers of Enhanced RTMP v2 share: the ModEx prefix and FourCC codes.
// (Veovera, "Enhanced RTMP v2", ExVideoTagHeader and ExAudioTagHeader.) Used by video-payload.ts and audio-payload.ts.

import { ContainerError, ProtocolError } from '../../errors.ts';

/** Packet type that announces a ModEx block. The same in audio and video. */
const PACKET_TYPE_MOD_EX = 7;
const MOD_EX_TIMESTAMP_OFFSET_NANO = 0;

/** Reads bytes in order; every read past the end is a ContainerError. */
export class PayloadReader {
  readonly #data: Uint8Array;
  #offset = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  u8(): number {
    const value = this.#data.at(this.#offset);
    if (value === undefined) {
      throw new ContainerError('An FLV tag ends inside its header.', this.#offset);
    }
    this.#offset += 1;
    return value;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  u24(): number {
    return (this.u16() << 8) | this.u8();
  }

  /** Signed 24 bits. */
  s24(): number {
    return (this.u24() << 8) >> 8;
  }

  fourCc(): string {
    return String.fromCharCode(this.u8(), this.u8(), this.u8(), this.u8());
  }

  bytes(length: number): Uint8Array {
    if (length > this.#data.length - this.#offset) {
      throw new ContainerError('An FLV tag ends inside its header.', this.#offset);
    }
    this.#offset += length;
    return this.#data.subarray(this.#offset - length, this.#offset);
  }

  rest(): Uint8Array {
    return this.#data.subarray(this.#offset);
  }
}

/** Reads the ModEx blocks, if any, and returns the packet type behind them and the presentation offset in nanoseconds (0..999 999). */
export function readModEx(
  reader: PayloadReader,
  firstPacketType: number,
): { readonly packetType: number; readonly nanosecondOffset: number } {
  let packetType = firstPacketType;
  let nanosecondOffset = 0;
  while (packetType === PACKET_TYPE_MOD_EX) {
    let size = reader.u8() + 1;
    if (size === 256) {
      size = reader.u16() + 1;
    }
    const block = new PayloadReader(reader.bytes(size));
    const types = reader.u8();
    packetType = types & 0x0f;
    if (types >> 4 === MOD_EX_TIMESTAMP_OFFSET_NANO) {
      nanosecondOffset = block.u24();
    }
  }
  return { packetType, nanosecondOffset };
}

/** The bytes from the tag's first byte to the packet type: twin of readModEx. `upper` is the upper half of the first byte. */
export function writeExHeaderStart(upper: number, packetType: number, nanosecondOffset: number): number[] {
  if (nanosecondOffset === 0) {
    return [(upper << 4) | packetType];
  }
  return [
    (upper << 4) | PACKET_TYPE_MOD_EX,
    2, // three bytes follow
    (nanosecondOffset >> 16) & 0xff,
    (nanosecondOffset >> 8) & 0xff,
    nanosecondOffset & 0xff,
    (MOD_EX_TIMESTAMP_OFFSET_NANO << 4) | packetType,
  ];
}

/** The four bytes of a FourCC. */
export function fourCcBytes(fourCc: string): number[] {
  return [0, 1, 2, 3].map((i) => fourCc.charCodeAt(i) & 0xff);
}

/** The refusal of a codec or feature that Tessera does not carry. */
export function unsupported(what: string): ProtocolError {
  return new ProtocolError('unsupported-codec', `${what} is not supported.`);
}

/** Header bytes followed by the body. */
export function joinPayload(header: readonly number[], body: Uint8Array): Uint8Array {
  const payload = new Uint8Array(header.length + body.length);
  payload.set(header);
  payload.set(body, header.length);
  return payload;
}
