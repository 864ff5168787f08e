// Incremental NUT parser for what an ffmpeg child writes to stdout: stream headers and frames with their timestamps, in chunks of
// any size. Frames are collected in one buffer each; nothing larger than `maxFrameBytes` is ever held.
// Called by ffmpeg-decoder.ts, opus-to-aac.ts and import-file.ts.

import { ContainerError } from '../../../shared/errors.ts';
import { FRAME_FLAGS, NUT_FILE_ID, START_CODES } from './nut-format.ts';

/** A stream of the file. Times are in microseconds from here on. */
export type NutStreamHeader = {
  readonly index: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly fourcc: string;
  readonly description: Uint8Array;
  /** Pictures that may be decoded before the first is shown. */
  readonly reorderDepth: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspect: readonly [number, number];
  readonly sampleRate: number;
  readonly channels: number;
};

export type NutFrame = {
  readonly stream: number;
  readonly ptsUs: number;
  readonly isKey: boolean;
  /** The receiver's to keep. */
  readonly data: Uint8Array;
};

export type NutReaderEvents = {
  readonly onStream: (header: NutStreamHeader) => void;
  readonly onFrame: (frame: NutFrame) => void;
};

type FrameCode = {
  readonly flags: number;
  readonly streamIndex: number;
  readonly sizeMul: number;
  readonly sizeLsb: number;
  readonly ptsDelta: number;
  readonly reservedCount: number;
  readonly headerIndex: number;
};

type StreamState = {
  readonly timeBase: readonly [number, number];
  readonly msbPtsShift: number;
  lastPts: number;
};

type FrameHeader = { readonly code: FrameCode; readonly size: number; readonly pts: number; readonly stream: number };

/** Thrown inside the parser when the chunk ends in the middle of something; the bytes are kept and read again. */
const NEED_MORE = Symbol('need more');

/** Reads fields from the bytes at hand. */
class Cursor {
  readonly bytes: Uint8Array;
  position: number;
  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- control flow of the incremental parser, caught in push()
      throw NEED_MORE;
    }
    this.position++;
    return value;
  }

  u32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  number(): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte(); // 64-bit values (match time) lose their lowest bits, which nobody here reads
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) {
        return value;
      }
    }
    throw new ContainerError('A NUT number is longer than 10 bytes.', this.position);
  }

  signed(): number {
    const value = this.number() + 1;
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2;
  }

  take(count: number): Uint8Array {
    if (this.position + count > this.bytes.length) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- as above
      throw NEED_MORE;
    }
    const taken = this.bytes.subarray(this.position, this.position + count);
    this.position += count;
    return taken;
  }

  string(): Uint8Array {
    return this.take(this.number());
  }
}

export class NutReader {
  private readonly events: NutReaderEvents;
  private readonly maxFrameBytes: number;
  private pending: Uint8Array = new Uint8Array(0);
  private body: { readonly header: FrameHeader; readonly data: Uint8Array; filled: number } | null = null;
  private sawFileId = false;
  private timeBases: (readonly [number, number])[] = [];
  private frameCodes: FrameCode[] = [];
  private elisionHeaders: Uint8Array[] = [new Uint8Array(0)];
  private readonly streams = new Map<number, StreamState>();
  private consumed = 0;

  constructor(events: NutReaderEvents, maxFrameBytes: number) {
    this.events = events;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Takes the next bytes. Throws ContainerError when they are not NUT. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.body === null ? this.parseHeaders(rest) : this.fillBody(rest);
    }
  }

  /** Parses as many headers as there are; returns what belongs to a frame's body, which is then copied straight into its buffer. */
  private parseHeaders(chunk: Uint8Array): Uint8Array {
    const bytes = this.pending.length === 0 ? chunk : concat(this.pending, chunk);
    const cursor = new Cursor(bytes, 0);
    let parsed = 0;
    try {
      while (this.body === null && cursor.position < bytes.length) {
        this.parseOne(cursor);
        parsed = cursor.position;
      }
    } catch (error) {
      if (error !== NEED_MORE) {
        throw error;
      }
      if (bytes.length - parsed > this.maxFrameBytes) {
        throw new ContainerError(`A NUT packet is longer than ${this.maxFrameBytes} bytes.`, this.consumed + parsed);
      }
      this.consumed += parsed;
      this.pending = bytes.slice(parsed);
      return new Uint8Array(0);
    }
    this.consumed += parsed;
    this.pending = new Uint8Array(0);
    return bytes.subarray(parsed);
  }

  private fillBody(chunk: Uint8Array): Uint8Array {
    const body = this.body;
    if (body === null) {
      return chunk;
    }
    const count = Math.min(chunk.length, body.data.length - body.filled);
    body.data.set(chunk.subarray(0, count), body.filled);
    body.filled += count;
    this.consumed += count;
    if (body.filled === body.data.length) {
      this.finishBody();
    }
    return chunk.subarray(count);
  }

  private finishBody(): void {
    const body = this.body;
    if (body === null) {
      return;
    }
    this.body = null;
    const { header, data } = body;
    const state = this.streams.get(header.stream);
    if (state === undefined) {
      return;
    }
    const [numerator, denominator] = state.timeBase;
    this.events.onFrame({
      stream: header.stream,
      ptsUs: Math.round((header.pts * numerator * 1_000_000) / denominator),
      isKey: (header.code.flags & FRAME_FLAGS.key) !== 0,
      data,
    });
  }

  private parseOne(cursor: Cursor): void {
    if (!this.sawFileId) {
      const id = new TextDecoder('latin1').decode(cursor.take(NUT_FILE_ID.length));
      if (id !== NUT_FILE_ID) {
        throw new ContainerError('The data does not start with the NUT file id.', 0);
      }
      this.sawFileId = true;
      return;
    }
    if (cursor.byte() === 0x4e) {
      cursor.position--;
      this.parsePacket(cursor);
    } else {
      cursor.position--;
      this.parseFrameHeader(cursor);
    }
  }

  private parsePacket(cursor: Cursor): void {
    const first = cursor.u32();
    const second = cursor.u32();
    const length = cursor.number();
    if (length > 4096) {
      cursor.u32();
    }
    if (length < 4 || length > this.maxFrameBytes) {
      throw new ContainerError(`A NUT packet of ${length} bytes is out of range.`, this.consumed + cursor.position);
    }
    const body = new Cursor(cursor.take(length).subarray(0, length - 4), 0);
    const is = (code: readonly [number, number]): boolean => first === code[0] && second === code[1];
    try {
      if (is(START_CODES.main)) {
        this.parseMainHeader(body);
      } else if (is(START_CODES.stream)) {
        this.parseStreamHeader(body);
      } else if (is(START_CODES.syncpoint)) {
        this.parseSyncpoint(body);
      }
    } catch (error) {
      if (error === NEED_MORE) {
        throw new ContainerError('A NUT packet ends inside a field.', this.consumed + cursor.position);
      }
      throw error;
    }
  }

  private parseMainHeader(h: Cursor): void {
    h.number(); // version
    h.number(); // stream_count
    h.number(); // max_distance
    this.timeBases = [];
    for (let count = h.number(); count > 0; count--) {
      this.timeBases.push([h.number(), h.number()]);
    }
    this.frameCodes = parseFrameCodes(h);
    this.elisionHeaders = [new Uint8Array(0)];
    for (let count = h.number(); count > 0; count--) {
      this.elisionHeaders.push(h.string().slice());
    }
  }

  private parseStreamHeader(h: Cursor): void {
    const index = h.number();
    const streamClass = h.number();
    const fourcc = new TextDecoder('latin1').decode(h.string());
    const timeBase = this.timeBases[h.number()];
    if (timeBase === undefined || timeBase[1] === 0) {
      throw new ContainerError(`Stream ${index} of the NUT data names a time base that does not exist.`, this.consumed);
    }
    const msbPtsShift = h.number();
    h.number(); // max_pts_distance
    const reorderDepth = h.number();
    h.number(); // stream_flags
    const description = h.string().slice();
    const isNew = !this.streams.has(index);
    this.streams.set(index, { timeBase, msbPtsShift, lastPts: 0 });
    if (isNew) {
      const kind = streamClass === 0 ? 'video' : streamClass === 1 ? 'audio' : 'other';
      this.events.onStream({ index, kind, fourcc, description, reorderDepth, ...readShape(h, kind) });
    }
  }

  /** A syncpoint sets the running timestamp of every stream, against which the low bits of following frames are read. */
  private parseSyncpoint(h: Cursor): void {
    const coded = h.number();
    const from = this.timeBases[coded % this.timeBases.length];
    if (from === undefined) {
      throw new ContainerError('A NUT syncpoint comes before the main header.', this.consumed);
    }
    const value = Math.floor(coded / this.timeBases.length);
    for (const state of this.streams.values()) {
      const [numerator, denominator] = state.timeBase;
      state.lastPts = Math.floor((value * from[0] * denominator) / (from[1] * numerator));
    }
  }

  private parseFrameHeader(cursor: Cursor): void {
    const code = this.frameCodes[cursor.byte()];
    if (code === undefined) {
      throw new ContainerError('A NUT frame comes before the main header.', this.consumed + cursor.position);
    }
    const flags = code.flags & FRAME_FLAGS.coded ? code.flags ^ cursor.number() : code.flags;
    if (flags & (FRAME_FLAGS.invalid | FRAME_FLAGS.sideData)) {
      throw new ContainerError('A NUT frame has flags that ffmpeg never sets here.', this.consumed + cursor.position);
    }
    const stream = flags & FRAME_FLAGS.streamId ? cursor.number() : code.streamIndex;
    const state = this.streams.get(stream);
    if (state === undefined) {
      throw new ContainerError(`A NUT frame names the unknown stream ${stream}.`, this.consumed + cursor.position);
    }
    const pts = flags & FRAME_FLAGS.codedPts ? codedPts(state, cursor.number()) : state.lastPts + code.ptsDelta;
    const sizeMsb = flags & FRAME_FLAGS.sizeMsb ? cursor.number() : 0;
    const size = code.sizeLsb + sizeMsb * code.sizeMul;
    const headerIndex = skipRareFields(cursor, flags, code);
    if (size > this.maxFrameBytes) {
      throw new ContainerError(`A NUT frame of ${size} bytes is too long.`, this.consumed + cursor.position);
    }
    state.lastPts = pts;
    this.startBody({ code: { ...code, flags }, size, pts, stream }, size > 4096 ? 0 : headerIndex);
  }

  /** Opens the buffer of a frame; its first bytes may stand in the main header instead of the file (elision). */
  private startBody(header: FrameHeader, headerIndex: number): void {
    const elided = (this.elisionHeaders[headerIndex] ?? new Uint8Array(0)).subarray(0, header.size);
    const data = new Uint8Array(header.size);
    data.set(elided);
    this.body = { header, data, filled: elided.length };
    if (elided.length === header.size) {
      this.finishBody();
    }
  }
}

/** The fields between size and data that change nothing for us; returns the index of the elision header. */
function skipRareFields(cursor: Cursor, flags: number, code: FrameCode): number {
  if (flags & FRAME_FLAGS.matchTime) {
    cursor.signed();
  }
  const headerIndex = flags & FRAME_FLAGS.headerIndex ? cursor.number() : code.headerIndex;
  for (let left = flags & FRAME_FLAGS.reserved ? cursor.number() : code.reservedCount; left > 0; left--) {
    cursor.number();
  }
  if (flags & FRAME_FLAGS.checksum) {
    cursor.u32();
  }
  return headerIndex;
}

/** The whole value, or its low bits around the last one. */
function codedPts(state: StreamState, coded: number): number {
  const modulus = 2 ** state.msbPtsShift;
  if (coded >= modulus) {
    return coded - modulus;
  }
  const lowest = state.lastPts - Math.floor(modulus / 2) + (modulus > 1 ? 1 : 0);
  return lowest + ((((coded - lowest) % modulus) + modulus) % modulus);
}

function readShape(
  h: Cursor,
  kind: NutStreamHeader['kind'],
): Pick<NutStreamHeader, 'width' | 'height' | 'sampleAspect' | 'sampleRate' | 'channels'> {
  const shape = { width: 0, height: 0, sampleAspect: [1, 1] as const, sampleRate: 0, channels: 0 };
  if (kind === 'video') {
    const width = h.number();
    const height = h.number();
    const aspect = [h.number(), h.number()] as const;
    return { ...shape, width, height, sampleAspect: aspect[0] > 0 && aspect[1] > 0 ? aspect : [1, 1] };
  }
  if (kind === 'audio') {
    const numerator = h.number();
    const denominator = h.number();
    return { ...shape, sampleRate: Math.round(numerator / Math.max(1, denominator)), channels: h.number() };
  }
  return shape;
}

/** One run of the frame code table; fields that are left out keep the value of the run before where the format says so. */
type FrameCodeRun = FrameCode & { readonly count: number };

const FIRST_RUN: FrameCodeRun = {
  flags: 0,
  streamIndex: 0,
  sizeMul: 1,
  sizeLsb: 0,
  ptsDelta: 0,
  reservedCount: 0,
  headerIndex: 0,
  count: 0,
};

function readFrameCodeRun(h: Cursor, before: FrameCodeRun): FrameCodeRun {
  const flags = h.number();
  const fields = h.number();
  const ptsDelta = fields > 0 ? h.signed() : before.ptsDelta;
  const sizeMul = fields > 1 ? h.number() : before.sizeMul;
  const streamIndex = fields > 2 ? h.number() : before.streamIndex;
  const sizeLsb = fields > 3 ? h.number() : 0;
  const reservedCount = fields > 4 ? h.number() : 0;
  const count = fields > 5 ? h.number() : sizeMul - sizeLsb;
  if (fields > 6) {
    h.signed(); // match time
  }
  const headerIndex = fields > 7 ? h.number() : before.headerIndex;
  for (let extra = 8; extra < fields; extra++) {
    h.number();
  }
  return { flags, ptsDelta, sizeMul, streamIndex, sizeLsb, reservedCount, headerIndex, count };
}

/** The table of 256 frame codes, written in runs. Code 0x4e, the letter N of the start codes, is in no run. */
function parseFrameCodes(h: Cursor): FrameCode[] {
  const codes: FrameCode[] = [];
  let run = FIRST_RUN;
  while (codes.length < 256) {
    run = readFrameCodeRun(h, run);
    if (run.count <= 0) {
      throw new ContainerError('The table of NUT frame codes has an empty run.', h.position);
    }
    for (let i = 0; i < run.count && codes.length < 256; i++) {
      if (codes.length === 0x4e) {
        codes.push({ ...FIRST_RUN, flags: FRAME_FLAGS.invalid });
      }
      codes.push({ ...run, sizeLsb: run.sizeLsb + i });
    }
  }
  return codes;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
