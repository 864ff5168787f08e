// FLV file framing: the 9-byte header and tags (Adobe, "Video File Format Specification" 10.1, annex E.2 to E.4.1).
// Reading is incremental and bounded; writing is its twin. Used by the demuxer, the muxer, RTMP ingest and the CLI.

import { ContainerError } from '../../errors.ts';

export const FLV_TAG_TYPES = { audio: 8, video: 9, script: 18 } as const;
export type FlvTagType = (typeof FLV_TAG_TYPES)[keyof typeof FLV_TAG_TYPES];

/** One tag: what an RTMP message of the same type carries too. */
export type FlvTag = {
  readonly type: FlvTagType;
  /** Decoding time in milliseconds, 0..2^32-1; wraps after 49.7 days. */
  readonly timestamp: number;
  readonly data: Uint8Array;
};

const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
const PREVIOUS_SIZE_BYTES = 4;

/** True for the tag types that Tessera reads: 8 audio, 9 video, 18 script. */
export function isFlvTagType(type: number): type is FlvTagType {
  return type === FLV_TAG_TYPES.audio || type === FLV_TAG_TYPES.video || type === FLV_TAG_TYPES.script;
}

export type FlvTagReaderOptions = {
  /** A bigger tag is an error. Default 16 777 215, all that the format can say. */
  readonly maxTagBytes?: number;
};

type Section = 'file-header' | 'extra-header' | 'tag-header' | 'tag-data' | 'previous-size';

/** Takes an FLV byte stream in pieces of any size. Holds at most one tag. */
export class FlvTagReader {
  readonly #maxTagBytes: number;
  #section: Section = 'file-header';
  #buffer = new Uint8Array(FILE_HEADER_BYTES);
  #filled = 0;
  #offset = 0;
  #header = { type: 0, timestamp: 0 };

  constructor(options: FlvTagReaderOptions = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? 0xffffff;
  }

  /** Returns the tags that became complete. Throws ContainerError when the bytes are not FLV or a tag is too big. */
  push(chunk: Uint8Array): FlvTag[] {
    const tags: FlvTag[] = [];
    let at = 0;
    while (at < chunk.length || this.#filled === this.#buffer.length) {
      const piece = chunk.subarray(at, at + this.#buffer.length - this.#filled);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#offset += piece.length;
      at += piece.length;
      if (this.#filled < this.#buffer.length) {
        break;
      }
      this.#completeSection(tags);
    }
    return tags;
  }

  /** The input has ended. Throws ContainerError when it ended inside the header or a tag. */
  finish(): void {
    const atBoundary = this.#filled === 0 && (this.#section === 'tag-header' || this.#section === 'previous-size');
    if (!atBoundary) {
      throw new ContainerError('The FLV data ends in the middle of a tag.', this.#offset);
    }
  }

  #completeSection(tags: FlvTag[]): void {
    const bytes = this.#buffer;
    switch (this.#section) {
      case 'file-header':
        this.#expect('extra-header', this.#readFileHeader(bytes) - FILE_HEADER_BYTES + PREVIOUS_SIZE_BYTES);
        break;
      case 'extra-header':
      case 'previous-size':
        this.#expect('tag-header', TAG_HEADER_BYTES);
        break;
      case 'tag-header':
        this.#expect('tag-data', this.#readTagHeader(bytes));
        break;
      case 'tag-data':
        if (isFlvTagType(this.#header.type)) {
          tags.push({ type: this.#header.type, timestamp: this.#header.timestamp, data: bytes });
        }
        this.#expect('previous-size', PREVIOUS_SIZE_BYTES);
        break;
    }
  }

  #expect(section: Section, length: number): void {
    this.#section = section;
    this.#buffer = new Uint8Array(length);
    this.#filled = 0;
  }

  #readFileHeader(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer);
    if (view.getUint8(0) !== 0x46 || view.getUint8(1) !== 0x4c || view.getUint8(2) !== 0x56) {
      throw new ContainerError('This is not FLV: the file does not start with "FLV".', 0);
    }
    const headerBytes = view.getUint32(5);
    if (headerBytes < FILE_HEADER_BYTES || headerBytes > 0xffff) {
      throw new ContainerError(`The FLV header claims to have ${headerBytes} bytes.`, 5);
    }
    return headerBytes;
  }

  #readTagHeader(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer);
    const size = view.getUint32(0) & 0xffffff;
    if ((view.getUint8(0) & 0x20) !== 0) {
      throw new ContainerError('The FLV file is encrypted, which is not supported.', this.#offset);
    }
    if (size > this.#maxTagBytes) {
      throw new ContainerError(`An FLV tag has ${size} bytes, more than ${this.#maxTagBytes}.`, this.#offset);
    }
    // The upper 8 bits of the timestamp follow the lower 24.
    const timestamp = ((view.getUint32(4) >>> 8) | (view.getUint8(7) << 24)) >>> 0;
    this.#header = { type: view.getUint8(0) & 0x1f, timestamp };
    return size;
  }
}

/** The file header with the first PreviousTagSize: 13 bytes. */
export function writeFlvFileHeader(has: { readonly audio: boolean; readonly video: boolean }): Uint8Array {
  const flags = (has.audio ? 4 : 0) | (has.video ? 1 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, FILE_HEADER_BYTES, 0, 0, 0, 0);
}

/** One tag with the PreviousTagSize that follows it. Throws RangeError when the data exceeds 24 bits of length. */
export function writeFlvTag(tag: FlvTag): Uint8Array {
  const size = tag.data.length;
  if (size > 0xffffff) {
    throw new RangeError(`An FLV tag holds at most 16777215 bytes, got ${size}.`);
  }
  const bytes = new Uint8Array(TAG_HEADER_BYTES + size + PREVIOUS_SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size);
  view.setUint8(0, tag.type);
  view.setUint32(4, (tag.timestamp << 8) >>> 0);
  view.setUint8(7, tag.timestamp >>> 24);
  bytes.set(tag.data, TAG_HEADER_BYTES);
  view.setUint32(TAG_HEADER_BYTES + size, TAG_HEADER_BYTES + size);
  return bytes;
}
