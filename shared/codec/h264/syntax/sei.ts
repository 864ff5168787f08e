// Supplemental enhancement information (7.3.2.3, Annex D): the messages that Tessera reads or writes (recovery point, user data);
// others are kept as bytes.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { BitstreamError } from '../../../errors.ts';

/** payloadType values (D.1.1). */
const SEI_PAYLOAD_TYPE = {
  BUFFERING_PERIOD: 0,
  PIC_TIMING: 1,
  USER_DATA_REGISTERED: 4,
  USER_DATA_UNREGISTERED: 5,
  RECOVERY_POINT: 6,
} as const;

/** One SEI message. */
export type SeiMessage = {
  readonly payloadType: number;
  readonly payload: Uint8Array;
};

/** recovery_point() (D.1.8). */
export type RecoveryPoint = {
  readonly recovery_frame_cnt: number;
  readonly exact_match_flag: boolean;
  readonly broken_link_flag: boolean;
  readonly changing_slice_group_idc: number; // 0..2
};

/** user_data_unregistered() (D.1.7). */
export type UserDataUnregistered = {
  readonly uuid: Uint8Array; // 16 bytes
  readonly data: Uint8Array;
};

/** Reads the RBSP of an SEI NAL unit; payloads are views on it. */
export function parseSei(rbsp: Uint8Array): SeiMessage[] {
  const messages: SeiMessage[] = [];
  const reader = new BitReader(rbsp);
  while (reader.moreRbspData() && reader.remaining >= 16) {
    const payloadType = readSum(reader);
    const payloadSize = readSum(reader);
    const start = reader.position >> 3;
    if (start + payloadSize > rbsp.length) {
      throw new BitstreamError(
        'truncated',
        'D.1',
        reader.position,
        'An SEI payload runs past the end of its NAL unit.',
      );
    }
    messages.push({ payloadType, payload: rbsp.subarray(start, start + payloadSize) });
    reader.skip(payloadSize * 8);
  }
  return messages;
}

function readSum(reader: BitReader): number {
  let sum = 0;
  for (;;) {
    const byte = reader.bits(8);
    sum += byte;
    if (byte !== 255) {
      return sum;
    }
  }
}

function writeSum(writer: BitWriter, value: number): void {
  let rest = value;
  while (rest >= 255) {
    writer.bits(255, 8);
    rest -= 255;
  }
  writer.bits(rest, 8);
}

/** Writes the RBSP of an SEI NAL unit. */
export function writeSei(messages: readonly SeiMessage[]): Uint8Array {
  const writer = new BitWriter(64);
  for (const message of messages) {
    writeSum(writer, message.payloadType);
    writeSum(writer, message.payload.length);
    writer.append(message.payload);
  }
  writer.trailingBits();
  return writer.toBytes();
}

/** Reads a recovery point payload. */
export function parseRecoveryPoint(payload: Uint8Array): RecoveryPoint {
  const reader = new BitReader(payload);
  return {
    recovery_frame_cnt: reader.ue(),
    exact_match_flag: reader.flag(),
    broken_link_flag: reader.flag(),
    changing_slice_group_idc: reader.bits(2),
  };
}

/** Writes a recovery point as a message. */
export function writeRecoveryPoint(point: RecoveryPoint): SeiMessage {
  const writer = new BitWriter(16);
  writer.ue(point.recovery_frame_cnt);
  writer.flag(point.exact_match_flag);
  writer.flag(point.broken_link_flag);
  writer.bits(point.changing_slice_group_idc, 2);
  if (!writer.isAligned) {
    writer.trailingBits();
  }
  return { payloadType: SEI_PAYLOAD_TYPE.RECOVERY_POINT, payload: writer.toBytes() };
}

/** Reads a user_data_unregistered payload (views). */
export function parseUserDataUnregistered(payload: Uint8Array): UserDataUnregistered {
  if (payload.length < 16) {
    throw new BitstreamError('truncated', 'D.1.7', 0, 'user_data_unregistered has at least 16 bytes.');
  }
  return { uuid: payload.subarray(0, 16), data: payload.subarray(16) };
}

/** Writes user data as a message. */
export function writeUserDataUnregistered(userData: UserDataUnregistered): SeiMessage {
  const payload = new Uint8Array(16 + userData.data.length);
  payload.set(userData.uuid);
  payload.set(userData.data, 16);
  return { payloadType: SEI_PAYLOAD_TYPE.USER_DATA_UNREGISTERED, payload };
}
