// AMF0, the value notation of FLV script tags and RTMP commands (Adobe, "Action Message Format - AMF 0", 2007).
// Reading is bounded in depth and in the number of values; whatever breaks the notation is a ContainerError with its offset.
// Used by on-meta-data.ts, the guarded RTMP ingest and the RTMP client.

import { ContainerError } from '../../errors.ts';

/** Named properties, in the order of the wire. `ecma-array` differs from `object` on the wire only. */
export type Amf0Object = {
  readonly kind: 'object' | 'ecma-array';
  readonly properties: ReadonlyMap<string, Amf0Value>;
};

/** A date: milliseconds since the Unix epoch. The time zone field is written as 0 and ignored on reading. */
type Amf0Date = { readonly kind: 'date'; readonly epochMs: number };

export type Amf0Value = number | boolean | string | null | undefined | Amf0Date | Amf0Object | readonly Amf0Value[];

export type Amf0Limits = {
  /** Objects and arrays inside each other. Default 16. */
  readonly maxDepth?: number;
  /** Values in one call, nested ones included. Default 4096. */
  readonly maxValues?: number;
};

const MARKER = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  xmlDocument: 0x0f,
  typedObject: 0x10,
} as const;

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** Builds an AMF0 object from a plain record. */
export function amf0Object(entries: Readonly<Record<string, Amf0Value>>): Amf0Object {
  return { kind: 'object', properties: new Map(Object.entries(entries)) };
}

/** Builds an AMF0 ECMA array (what onMetaData uses) from a plain record. */
export function amf0EcmaArray(entries: Readonly<Record<string, Amf0Value>>): Amf0Object {
  return { kind: 'ecma-array', properties: new Map(Object.entries(entries)) };
}

/** True for an object or ECMA array. */
export function isAmf0Object(value: Amf0Value): value is Amf0Object {
  return typeof value === 'object' && value !== null && 'properties' in value;
}

/** Reads all values of `data`, one after the other. Throws ContainerError on anything malformed or beyond the limits. */
export function readAmf0(data: Uint8Array, limits: Amf0Limits = {}): Amf0Value[] {
  const reader = new Amf0Reader(data, limits);
  const values: Amf0Value[] = [];
  while (!reader.atEnd) {
    values.push(reader.readValue(0));
  }
  return values;
}

class Amf0Reader {
  readonly #data: Uint8Array;
  readonly #view: DataView;
  readonly #maxDepth: number;
  #valuesLeft: number;
  #offset = 0;

  constructor(data: Uint8Array, limits: Amf0Limits) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.#maxDepth = limits.maxDepth ?? 16;
    this.#valuesLeft = limits.maxValues ?? 4096;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#data.length;
  }

  readValue(depth: number): Amf0Value {
    if (--this.#valuesLeft < 0) {
      throw this.#error('an AMF0 message with too many values');
    }
    const marker = this.#view.getUint8(this.#take(1));
    switch (marker) {
      case MARKER.number:
        return this.#view.getFloat64(this.#take(8));
      case MARKER.boolean:
        return this.#view.getUint8(this.#take(1)) !== 0;
      case MARKER.string:
        return this.#readText(this.#view.getUint16(this.#take(2)));
      case MARKER.longString:
      case MARKER.xmlDocument:
        return this.#readText(this.#view.getUint32(this.#take(4)));
      case MARKER.null:
        return null;
      case MARKER.undefined:
        return undefined;
      case MARKER.date: {
        const epochMs = this.#view.getFloat64(this.#take(8));
        this.#take(2);
        return { kind: 'date', epochMs };
      }
      case MARKER.object:
        return { kind: 'object', properties: this.#readProperties(depth) };
      case MARKER.typedObject:
        this.#readText(this.#view.getUint16(this.#take(2)));
        return { kind: 'object', properties: this.#readProperties(depth) };
      case MARKER.ecmaArray:
        this.#take(4); // the count is a hint; the end marker decides
        return { kind: 'ecma-array', properties: this.#readProperties(depth) };
      case MARKER.strictArray:
        return this.#readStrictArray(depth);
      default:
        throw this.#error(`the AMF0 marker 0x${marker.toString(16)}, which is not supported`);
    }
  }

  #readProperties(depth: number): Map<string, Amf0Value> {
    this.#checkDepth(depth);
    const properties = new Map<string, Amf0Value>();
    for (;;) {
      const name = this.#readText(this.#view.getUint16(this.#take(2)));
      if (name === '' && this.#data[this.#offset] === MARKER.objectEnd) {
        this.#take(1);
        return properties;
      }
      properties.set(name, this.readValue(depth + 1));
    }
  }

  #readStrictArray(depth: number): Amf0Value[] {
    this.#checkDepth(depth);
    const count = this.#view.getUint32(this.#take(4));
    if (count > this.#data.length - this.#offset) {
      throw this.#error(`an AMF0 array of ${count} values in ${this.#data.length - this.#offset} bytes`);
    }
    const values: Amf0Value[] = [];
    for (let i = 0; i < count; i++) {
      values.push(this.readValue(depth + 1));
    }
    return values;
  }

  #readText(length: number): string {
    const start = this.#take(length);
    return utf8.decode(this.#data.subarray(start, start + length));
  }

  #checkDepth(depth: number): void {
    if (depth >= this.#maxDepth) {
      throw this.#error(`AMF0 values nested deeper than ${this.#maxDepth}`);
    }
  }

  /** Moves over `length` bytes and returns where they start. */
  #take(length: number): number {
    const start = this.#offset;
    if (length > this.#data.length - start) {
      throw this.#error('an AMF0 value that ends too early');
    }
    this.#offset = start + length;
    return start;
  }

  #error(what: string): ContainerError {
    return new ContainerError(`Found ${what}.`, this.#offset);
  }
}

/** Writes the values one after the other: what readAmf0 takes apart. Throws RangeError for a property name beyond 65 535 bytes. */
export function writeAmf0(values: readonly Amf0Value[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of values) {
    writeValue(bytes, value);
  }
  return Uint8Array.from(bytes);
}

function writeValue(out: number[], value: Amf0Value): void {
  if (value === undefined) {
    out.push(MARKER.undefined);
  } else if (value === null) {
    out.push(MARKER.null);
  } else if (typeof value === 'number') {
    out.push(MARKER.number);
    writeDouble(out, value);
  } else if (typeof value === 'boolean') {
    out.push(MARKER.boolean, value ? 1 : 0);
  } else if (typeof value === 'string') {
    writeString(out, value);
  } else if (isAmf0Object(value)) {
    writeObject(out, value);
  } else if ('kind' in value) {
    out.push(MARKER.date);
    writeDouble(out, value.epochMs);
    out.push(0, 0);
  } else {
    out.push(MARKER.strictArray);
    writeUint32(out, value.length);
    value.forEach((element) => writeValue(out, element));
  }
}

function writeObject(out: number[], { kind, properties }: Amf0Object): void {
  if (kind === 'ecma-array') {
    out.push(MARKER.ecmaArray);
    writeUint32(out, properties.size);
  } else {
    out.push(MARKER.object);
  }
  for (const [name, value] of properties) {
    writeShortText(out, toUtf8.encode(name));
    writeValue(out, value);
  }
  out.push(0, 0, MARKER.objectEnd);
}

function writeString(out: number[], text: string): void {
  const bytes = toUtf8.encode(text);
  if (bytes.length <= 0xffff) {
    out.push(MARKER.string);
    writeShortText(out, bytes);
  } else {
    out.push(MARKER.longString);
    writeUint32(out, bytes.length);
    bytes.forEach((byte) => out.push(byte));
  }
}

function writeShortText(out: number[], bytes: Uint8Array): void {
  if (bytes.length > 0xffff) {
    throw new RangeError('A property name in AMF0 has at most 65535 bytes.');
  }
  out.push(bytes.length >> 8, bytes.length & 0xff);
  bytes.forEach((byte) => out.push(byte));
}

function writeUint32(out: number[], value: number): void {
  out.push((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function writeDouble(out: number[], value: number): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  bytes.forEach((byte) => out.push(byte));
}
