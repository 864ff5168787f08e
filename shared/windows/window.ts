// Windows as values: what kinds exist, what they are called in text, and what comes out of them.
// Times are milliseconds of event time, sizes are whole milliseconds; count windows count records of one key.

/** Which windows a stream is cut into. */
export type WindowSpec =
  /** `[start, start + size)`, one after the other. */
  | { readonly kind: 'tumbling'; readonly size: number; readonly offset: number }
  /** `[start, start + size)` every `advance`; with `advance > size` some records fall in no window. */
  | { readonly kind: 'hopping'; readonly size: number; readonly advance: number; readonly offset: number }
  /** Kafka's sliding windows: bounds sit on records, `[ts - size, ts]` and `[ts + 1, ts + 1 + size]`. */
  | { readonly kind: 'sliding'; readonly size: number }
  /** Closed by `gap` without a record; sessions that come to overlap merge. */
  | { readonly kind: 'session'; readonly gap: number }
  /** `size` records of a key in arrival order, a new window every `advance` records. */
  | { readonly kind: 'count'; readonly size: number; readonly advance: number };

/** Whose rules hold where Kafka Streams, Flink and Beam truly differ (docs/analytics/windows.md). */
export type Semantics = 'kafka' | 'flink' | 'beam';

/** `final`: once, when a window closes. `update`: after every record as well as nothing at the close. */
export type EmitMode = 'final' | 'update' | 'assign';

/** What is kept of a window after it fired: everything (`accumulating`) or nothing (`purging`). */
export type Trigger = 'accumulating' | 'purging';

/** One result. `end` is inclusive for sliding windows and Kafka's sessions, exclusive otherwise. */
export type WindowResult<R> = {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  /** `null`: Kafka's retraction of a session that was merged into another. */
  readonly value: R | null;
  /** Kafka: the newest record's time. Flink and Beam: the last millisecond of the window. */
  readonly ts: number;
  readonly final: boolean;
  /** A count window that the end of the input cut short. */
  readonly partial?: boolean;
};

/** A record, or with `start` its share in one window, that came after the window was closed. */
export type LateRecord<V> = {
  readonly key: string;
  readonly value: V;
  readonly ts: number;
  readonly start?: number;
};

function requireWhole(name: string, value: number, lowest: number): void {
  if (!Number.isSafeInteger(value) || value < lowest) {
    throw new RangeError(`The ${name} of a window must be a whole number >= ${lowest}, not ${value}.`);
  }
}

/** Windows of `size` ms, one after the other, aligned to the epoch plus `offset`. */
export function tumbling(size: number, offset = 0): WindowSpec {
  requireWhole('size', size, 1);
  requireWhole('offset', offset, Number.MIN_SAFE_INTEGER);
  return { kind: 'tumbling', size, offset };
}

/** Windows that may hold one record: what per-window state and late records cost. */
const MAX_OVERLAP = 100_000;

/** Windows of `size` ms, one every `advance` ms, aligned to the epoch plus `offset`. */
export function hopping(size: number, advance: number, offset = 0): WindowSpec {
  requireWhole('size', size, 1);
  requireWhole('advance', advance, 1);
  if (size / advance > MAX_OVERLAP) {
    throw new RangeError(`At most ${MAX_OVERLAP} windows may overlap, not ${size / advance}.`);
  }
  requireWhole('offset', offset, Number.MIN_SAFE_INTEGER);
  return { kind: 'hopping', size, advance, offset };
}

/** Kafka's sliding windows over records at most `size` ms apart. */
export function sliding(size: number): WindowSpec {
  requireWhole('size', size, 0);
  return { kind: 'sliding', size };
}

/** Sessions closed by `gap` ms without a record. */
export function session(gap: number): WindowSpec {
  requireWhole('gap', gap, 1);
  return { kind: 'session', gap };
}

/** Windows of `size` records of one key, a new one every `advance` records. */
export function count(size: number, advance = size): WindowSpec {
  requireWhole('size', size, 1);
  requireWhole('advance', advance, 1);
  return { kind: 'count', size, advance };
}

const UNIT_MS: Readonly<Record<string, number | undefined>> = {
  '': 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `250`, `10ms`, `1.5s`, `1m`, `2h`, `1d` as milliseconds. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = (/^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? []) as (
    string | undefined
  )[];
  const exact = number === '' ? Number.NaN : Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  // 1.005 s is 1005 ms, whatever binary fractions make of it.
  const amount = Math.abs(exact - Math.round(exact)) < 1e-6 ? Math.round(exact) : exact;
  if (!Number.isSafeInteger(amount)) {
    throw new RangeError(`"${text}" is not a duration such as 250, 10ms, 1.5s, 1m or 2h.`);
  }
  return amount;
}

const SPEC_SHAPES =
  'tumbling:SIZE[+OFFSET], hopping:SIZE/ADVANCE[+OFFSET], sliding:SIZE, session:GAP or count:N[/ADVANCE]';

type Shape = { readonly pattern: RegExp; readonly make: (size: string, advance: string, offset: string) => WindowSpec };

/** One pattern per kind, with the groups size, advance and offset as far as the kind has them; `-OFFSET` is an offset below 0. */
const SHAPES: readonly Shape[] = [
  {
    pattern: /^tumbling:(?<size>[^/+-]+)(?:\+?(?<offset>(?<=\+).+|-.+))?$/,
    make: (size, _advance, offset) => tumbling(parseDuration(size), parseDuration(offset)),
  },
  {
    pattern: /^hopping:(?<size>[^/+-]+)\/(?<advance>[^/+-]+)(?:\+?(?<offset>(?<=\+).+|-.+))?$/,
    make: (size, advance, offset) => hopping(parseDuration(size), parseDuration(advance), parseDuration(offset)),
  },
  { pattern: /^sliding:(?<size>[^/+]+)$/, make: (size) => sliding(parseDuration(size)) },
  { pattern: /^session:(?<size>[^/+]+)$/, make: (size) => session(parseDuration(size)) },
  {
    pattern: /^count:(?<size>\d+)(?:\/(?<advance>\d+))?$/,
    make: (size, advance) => count(Number(size), advance === '' ? Number(size) : Number(advance)),
  },
];

/** Reads a window as the command line and configuration write it: `hopping:10s/1s+250ms`, `count:3/1`. */
export function parseWindowSpec(text: string): WindowSpec {
  for (const { pattern, make } of SHAPES) {
    const groups = pattern.exec(text.trim())?.groups as Record<string, string | undefined> | undefined;
    if (groups !== undefined) {
      return make(groups['size'] ?? '', groups['advance'] ?? '', groups['offset'] ?? '0');
    }
  }
  throw new RangeError(`"${text}" is not a window: expected ${SPEC_SHAPES}.`);
}
