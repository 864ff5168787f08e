// The byte stream format of Annex B: start codes between NAL units. Finding them in a whole buffer, splitting a stream that arrives
// in pieces, and joining NAL units. Called by the decoder, the CLI and the ingest.

const { max } = Math;

/** Start and end of a NAL unit within a buffer: header byte included, start code and trailing zeros excluded. */
export type NalRange = { readonly start: number; readonly end: number };

/** Position of the next 00 00 01 at or after `from`, or -1. */
function findStartCode(data: Uint8Array, from: number): number {
  const end = data.length;
  let i = from + 2;
  while (i < end) {
    const value = data[i];
    if (value > 1) {
      i += 3;
    } else if (value === 1) {
      if (data[i - 1] === 0 && data[i - 2] === 0) {
        return i - 2;
      }
      i += 3;
    } else {
      i++;
    }
  }
  return -1;
}

/** All NAL units of a complete byte stream. Bytes before the first start code are ignored. */
export function splitAnnexB(data: Uint8Array): NalRange[] {
  const ranges: NalRange[] = [];
  let code = findStartCode(data, 0);
  while (code >= 0) {
    const start = code + 3;
    const next = findStartCode(data, start);
    let end = next < 0 ? data.length : next;
    while (end > start && data[end - 1] === 0) {
      end--;
    }
    if (end > start) {
      ranges.push({ start, end });
    }
    code = next;
  }
  return ranges;
}

/** NAL units joined with four-byte start codes. */
export function joinAnnexB(nalUnits: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nal of nalUnits) {
    length += nal.length + 4;
  }
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const nal of nalUnits) {
    joined[offset + 3] = 1;
    joined.set(nal, offset + 4);
    offset += nal.length + 4;
  }
  return joined;
}

/** Options of AnnexBSplitter. */
export type AnnexBSplitterOptions = {
  /** Called with each complete NAL unit; the bytes are valid during the call only. */
  readonly onNalUnit: (nal: Uint8Array) => void;
  /** Longest NAL unit in bytes; a longer one is dropped and counted. Default 8 MiB. */
  readonly maxNalBytes?: number;
};

/** Splits a byte stream that arrives in arbitrary pieces. Bounded by `maxNalBytes`. */
export class AnnexBSplitter {
  /** NAL units that were longer than allowed. */
  oversized = 0;
  private readonly onNalUnit: (nal: Uint8Array) => void;
  private readonly maxNalBytes: number;
  private buffer = new Uint8Array(64 * 1024);
  private length = 0;
  /** Where the search for the next start code goes on. */
  private searched = 0;
  private hasStart = false;
  private isDropping = false;

  constructor(options: AnnexBSplitterOptions) {
    this.onNalUnit = options.onNalUnit;
    this.maxNalBytes = options.maxNalBytes ?? 8 * 1024 * 1024;
  }

  /** Takes the next piece of the stream. */
  push(piece: Uint8Array): void {
    const step = 1024 * 1024;
    for (let offset = 0; offset < piece.length; offset += step) {
      this.take(piece.subarray(offset, offset + step));
    }
  }

  /** The stream has ended: delivers the last NAL unit. */
  flush(): void {
    if (this.hasStart && !this.isDropping) {
      this.deliver(this.length);
    }
    this.length = 0;
    this.searched = 0;
    this.hasStart = false;
    this.isDropping = false;
  }

  private take(piece: Uint8Array): void {
    this.reserve(piece.length);
    this.buffer.set(piece, this.length);
    this.length += piece.length;
    let consumed = 0;
    const data = this.buffer.subarray(0, this.length);
    for (;;) {
      const code = findStartCode(data, this.searched);
      if (code < 0) {
        break;
      }
      if (this.hasStart && !this.isDropping) {
        this.deliver(code, consumed);
      }
      this.isDropping = false;
      this.hasStart = true;
      consumed = code + 3;
      this.searched = consumed;
    }
    if (!this.hasStart || this.isDropping || this.length - consumed > this.maxNalBytes) {
      if (this.hasStart && !this.isDropping) {
        this.oversized++;
        this.isDropping = true;
      }
      consumed = this.length > 2 ? max(consumed, this.length - 2) : consumed;
    }
    this.buffer.copyWithin(0, consumed, this.length);
    this.length -= consumed;
    this.searched = max(0, this.length - 2);
  }

  private deliver(end: number, start = 0): void {
    let last = end;
    while (last > start && this.buffer[last - 1] === 0) {
      last--;
    }
    if (last > start) {
      this.onNalUnit(this.buffer.subarray(start, last));
    }
  }

  private reserve(extra: number): void {
    if (this.length + extra > this.buffer.length) {
      const larger = new Uint8Array(max(this.length + extra, this.buffer.length * 2));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
  }
}
