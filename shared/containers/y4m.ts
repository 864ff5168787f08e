// YUV4MPEG2 (.y4m): a text header line, then per picture a line `FRAME` and the raw 4:2:0 planes. Read in chunks of any size and
// written piece by piece. Used by `tessera encode`, `decode` and `publish`, and by tests and benchmarks.
//
//   YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n  FRAME\n <Y><U><V>  FRAME\n ...

import { ContainerError } from '../errors.ts';
import { UNSPECIFIED_COLOUR } from '../media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame, type Plane } from '../media/frame.ts';
import { microseconds } from '../media/time.ts';

/** 4:2:0 layouts that differ in chroma siting only. */
export const Y4M_CHROMA = ['420', '420jpeg', '420mpeg2', '420paldv'] as const;
type Y4mChroma = (typeof Y4M_CHROMA)[number];

/** Ip progressive, It top field first, Ib bottom field first, Im mixed, I? unknown. */
type Y4mInterlacing = 'p' | 't' | 'b' | 'm' | '?';

export type Y4mHeader = {
  readonly width: number; // 1..16384
  readonly height: number; // 1..16384
  /** Frames per second as a fraction; 25:1 when the file does not say (F missing or 0:0). */
  readonly framerate: { readonly numerator: number; readonly denominator: number };
  /** Sample aspect ratio; [1, 1] when unknown (A missing or 0:0). */
  readonly sampleAspect: readonly [number, number];
  readonly interlacing: Y4mInterlacing;
  readonly chroma: Y4mChroma;
  /** From XCOLORRANGE; undefined when the file does not say. */
  readonly isFullRange?: boolean;
};

const MAGIC = 'YUV4MPEG2';
const MAX_LINE_BYTES = 1024;
const MAX_SIZE = 16384;
const NEWLINE = 10;

function wholeNumber(text: string, what: string, low: number, high: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) {
    throw new ContainerError(`The Y4M header gives ${what} "${text}"; it must be a whole number ${low}..${high}.`, 0);
  }
  return value;
}

/** `n:d` with both positive, or null for 0:0. */
function fraction(text: string, what: string): readonly [number, number] | null {
  const [n = '', d = '', ...rest] = text.split(':');
  const numerator = wholeNumber(n, what, 0, 0xffff_ffff);
  const denominator = wholeNumber(d, what, 0, 0xffff_ffff);
  if (numerator === 0 && denominator === 0) {
    return null;
  }
  if (rest.length > 0 || numerator === 0 || denominator === 0) {
    throw new ContainerError(`The Y4M header gives ${what} "${text}"; it must be a fraction n:d above zero.`, 0);
  }
  return [numerator, denominator];
}

function chromaOf(text: string): Y4mChroma {
  const known = Y4M_CHROMA.find((chroma) => chroma === text);
  if (known === undefined) {
    throw new ContainerError(`The Y4M file has sampling C${text}; only 8-bit 4:2:0 (C420...) is read.`, 0);
  }
  return known;
}

function interlacingOf(text: string): Y4mInterlacing {
  if (text === 'p' || text === 't' || text === 'b' || text === 'm' || text === '?') {
    return text;
  }
  throw new ContainerError(`The Y4M header gives interlacing "I${text}"; known are Ip It Ib Im I?.`, 0);
}

/** Parameters by their letter, the first of each; X parameters other than the colour range are passed over. */
function parameterMap(parameters: readonly string[]): Map<string, string> {
  const byLetter = new Map<string, string>();
  for (const parameter of parameters) {
    const [key, value] = parameter.startsWith('XCOLORRANGE=')
      ? ['XCOLORRANGE', parameter.slice(12)]
      : [parameter.charAt(0), parameter.slice(1)];
    if (!byLetter.has(key)) {
      byLetter.set(key, value);
    }
  }
  return byLetter;
}

/** Parses the first line of a file, without its newline. Throws ContainerError. */
export function parseY4mHeader(line: string): Y4mHeader {
  const [magic, ...parameters] = line.split(' ');
  if (magic !== MAGIC) {
    throw new ContainerError(`This is not a Y4M file: it does not start with ${MAGIC}.`, 0);
  }
  const given = parameterMap(parameters);
  const [numerator, denominator] = fraction(given.get('F') ?? '0:0', 'a frame rate') ?? [25, 1];
  const range = given.get('XCOLORRANGE');
  return {
    width: wholeNumber(given.get('W') ?? '', 'a width', 1, MAX_SIZE),
    height: wholeNumber(given.get('H') ?? '', 'a height', 1, MAX_SIZE),
    framerate: { numerator, denominator },
    sampleAspect: fraction(given.get('A') ?? '0:0', 'a sample aspect') ?? [1, 1],
    interlacing: interlacingOf(given.get('I') ?? '?'),
    chroma: chromaOf(given.get('C') ?? '420'),
    ...(range === 'FULL' || range === 'LIMITED' ? { isFullRange: range === 'FULL' } : {}),
  };
}

/** The first line of a file, with its newline: parseY4mHeader gives the same header back. */
export function writeY4mHeader(header: Y4mHeader): Uint8Array {
  const { width, height, framerate, sampleAspect, interlacing, chroma, isFullRange } = header;
  const range = isFullRange === undefined ? '' : ` XCOLORRANGE=${isFullRange ? 'FULL' : 'LIMITED'}`;
  return new TextEncoder().encode(
    `${MAGIC} W${width} H${height} F${framerate.numerator}:${framerate.denominator} I${interlacing}` +
      ` A${sampleAspect[0]}:${sampleAspect[1]} C${chroma}${range}\n`,
  );
}

const FRAME_LINE = new TextEncoder().encode('FRAME\n');

function copyPlane(plane: Plane, target: Uint8Array, start: number): number {
  let at = start;
  for (let y = 0; y < plane.height; y++) {
    target.set(plane.data.subarray(y * plane.stride, y * plane.stride + plane.width), at);
    at += plane.width;
  }
  return at;
}

/** One picture as it follows the header: the FRAME line and the planes without padding. */
export function writeY4mFrame(frame: I420Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_LINE.length + i420ByteLength(frame.width, frame.height));
  bytes.set(FRAME_LINE);
  const uStart = copyPlane(frame.y, bytes, FRAME_LINE.length);
  copyPlane(frame.v, bytes, copyPlane(frame.u, bytes, uStart));
  return bytes;
}

/** What the parser waits for. */
type State = 'header' | 'frame-line' | 'planes' | 'failed';

/**
 * Reads a file from chunks of any size. push() calls `onFrame` with each picture as it is complete; the bytes (tightly packed I420) are
 * the receiver's to keep. Memory held: one line and one picture. Throws ContainerError on bad input, and is unusable afterwards.
 */
export class Y4mParser {
  readonly #onFrame: (planes: Uint8Array, header: Y4mHeader) => void;
  #state: State = 'header';
  #header: Y4mHeader | undefined;
  #line: number[] = [];
  #planes = new Uint8Array(0);
  #filled = 0;
  #offset = 0;

  constructor(onFrame: (planes: Uint8Array, header: Y4mHeader) => void) {
    this.#onFrame = onFrame;
  }

  /** Known as soon as the first line is read. */
  get header(): Y4mHeader | undefined {
    return this.#header;
  }

  /** Takes the next bytes of the file. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const used = this.#state === 'planes' ? this.#takePlanes(chunk, at) : this.#takeLine(chunk, at);
      at += used;
      this.#offset += used;
    }
  }

  /** Says that the file ends here. Throws when it ends inside a picture or before the header. */
  end(): void {
    if (this.#state !== 'frame-line' || this.#line.length > 0) {
      throw this.#fail(
        this.#header === undefined ? 'The Y4M file ends before its header.' : 'The Y4M file ends inside a picture.',
      );
    }
  }

  #fail(message: string): ContainerError {
    this.#state = 'failed';
    return new ContainerError(message, this.#offset);
  }

  #takeLine(chunk: Uint8Array, start: number): number {
    if (this.#state === 'failed') {
      throw new ContainerError('The Y4M file is damaged further up.', this.#offset);
    }
    const newline = chunk.indexOf(NEWLINE, start);
    const end = newline < 0 ? chunk.length : newline;
    if (this.#line.length + end - start > MAX_LINE_BYTES) {
      throw this.#fail(
        this.#header === undefined
          ? `This is not a Y4M file: its first line is longer than ${MAX_LINE_BYTES} bytes.`
          : `A FRAME line of the Y4M file is longer than ${MAX_LINE_BYTES} bytes.`,
      );
    }
    for (let i = start; i < end; i++) {
      this.#line.push(chunk[i]);
    }
    if (newline < 0) {
      return end - start;
    }
    const line = String.fromCharCode(...this.#line);
    this.#line = [];
    this.#finishLine(line);
    return end + 1 - start;
  }

  #finishLine(line: string): void {
    if (this.#header === undefined) {
      try {
        this.#header = parseY4mHeader(line);
      } catch (error) {
        this.#state = 'failed';
        throw error;
      }
      this.#state = 'frame-line';
      return;
    }
    if (line !== 'FRAME' && !line.startsWith('FRAME ')) {
      throw this.#fail('The Y4M file has something else where a FRAME line must be.');
    }
    this.#planes = new Uint8Array(i420ByteLength(this.#header.width, this.#header.height));
    this.#filled = 0;
    this.#state = 'planes';
  }

  #takePlanes(chunk: Uint8Array, start: number): number {
    const part = chunk.subarray(start, start + this.#planes.length - this.#filled);
    this.#planes.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === this.#planes.length && this.#header !== undefined) {
      const planes = this.#planes;
      this.#planes = new Uint8Array(0);
      this.#state = 'frame-line';
      this.#onFrame(planes, this.#header);
    }
    return part.length;
  }
}

/** A file as frames: timestamps count from 0 at the header's rate, nothing needs closing. */
export type Y4mReader = { readonly header: Y4mHeader; readonly frames: AsyncGenerator<I420Frame, void, undefined> };

/** Reads from a stream of chunks (a Node read stream, a fetch body). Resolves when the header is known. Throws ContainerError. */
export async function openY4m(chunks: AsyncIterable<Uint8Array>): Promise<Y4mReader> {
  const ready: Uint8Array[] = [];
  const parser = new Y4mParser((planes) => ready.push(planes));
  const source = chunks[Symbol.asyncIterator]();
  /** Feeds one chunk; false at the end of the file. */
  const pull = async (): Promise<boolean> => {
    const next = await source.next();
    if (next.done === true) {
      parser.end();
      return false;
    }
    parser.push(next.value);
    return true;
  };
  while (parser.header === undefined) {
    await pull();
  }
  const header = parser.header;
  async function* frames(): AsyncGenerator<I420Frame, void, undefined> {
    const frameMicroseconds = (1e6 * header.framerate.denominator) / header.framerate.numerator;
    let index = 0;
    try {
      do {
        for (const planes of ready.splice(0)) {
          yield packedI420(planes, header, {
            timestamp: microseconds(Math.round(index++ * frameMicroseconds)),
            sampleAspect: header.sampleAspect,
            colour: { ...UNSPECIFIED_COLOUR, video_full_range_flag: header.isFullRange === true },
          });
        }
      } while (await pull());
    } finally {
      await source.return?.();
    }
  }
  return { header, frames: frames() };
}
