// The window engine's door: one operator takes records in order of arrival, keeps the state of every key, and hands out results and
// late records. Made by createWindowOperator; used by jobs, by `tessera analyze` and alone. It knows no wall clock: receive times,
// idleness and the end of a key are told to it, which is what makes a replay give the same bytes.

import type { AnyAggregate, Json } from './aggregates/aggregate.ts';
import { CountOperator } from './operators/count-operator.ts';
import type { OperatorParts } from './operators/keyed-operator.ts';
import { PaneOperator } from './operators/pane-operator.ts';
import { PerWindowOperator } from './operators/per-window-operator.ts';
import { SessionOperator } from './operators/session-operator.ts';
import { SlidingOperator } from './operators/sliding-operator.ts';
import { windowRules } from './semantics.ts';
import type { ClockSpec } from './watermark.ts';
import type { EmitMode, LateRecord, Semantics, Trigger, WindowResult, WindowSpec } from './window.ts';

/** What an operator has counted since it was made; not part of snapshots. */
export type OperatorCounters = {
  readonly records: number;
  /** Shares of records in windows that were closed already. */
  readonly late: number;
  /** Records whose time was ahead of the receiver's clock. */
  readonly clamped: number;
  /** Records refused because `maxKeys` keys are held already. */
  readonly refused: number;
  readonly keys: number;
};

/** Takes records in order of arrival and hands out the results of their windows. */
export interface WindowOperator<V> {
  /** Takes one record. `receivedAt` (ms) is needed by per-key clocks only. */
  push(key: string, value: V, ts: number, receivedAt?: number): void;
  /** The key's clock moves on as by a record of this time, without one. */
  observe(key: string, ts: number, receivedAt?: number): void;
  /** Explicit watermark for all keys. Has no effect on per-key clocks. */
  advance(to: number): void;
  /** Per-key clocks: the receiver's clock is now here; idle keys go on with it. */
  tick(now: number): void;
  /** The key is over: its windows close now and it is forgotten. */
  endKey(key: string): void;
  /** End of the input: every window closes. */
  flush(): void;
  /** The whole state of every key as JSON. */
  snapshot(): Json;
  /** Replaces the state by that of a snapshot of an operator with the same options. */
  restore(saved: Json): void;
  /** What was counted since the operator was made. */
  counters(): OperatorCounters;
}

/** What createWindowOperator needs to know; times in milliseconds. */
export type WindowOperatorOptions<V, R> = {
  readonly window: WindowSpec;
  readonly aggregate: AnyAggregate<V, R>;
  /** Default kafka. */
  readonly semantics?: Semantics;
  /** Kafka: how long after its end a window waits for late records, ms. Default 0. */
  readonly grace?: number;
  /** Flink and Beam: how long a fired window still takes late records, ms. Default 0. */
  readonly lateness?: number;
  /** Default accumulating. */
  readonly trigger?: Trigger;
  /** Default final. */
  readonly emit?: EmitMode;
  /** Default: stream time for Kafka, explicit watermarks for Flink and Beam. */
  readonly clock?: ClockSpec;
  /** Keys held at most; records of further keys are counted as refused. Default 1 000 000. */
  readonly maxKeys?: number;
  /** Called synchronously for each window that closes (or changes, with `emit: 'update'`). */
  readonly onResult: (result: WindowResult<R>) => void;
  /** Called for each record, or its share in one window, that came too late. */
  readonly onLate?: (late: LateRecord<V>) => void;
};

type Sense = readonly [isWrong: boolean, sentence: string];

function requireSense<V, R>(options: WindowOperatorOptions<V, R>, semantics: Semantics): void {
  const { window, grace = 0, lateness = 0, trigger, emit } = options;
  const isKafka = semantics === 'kafka';
  const checks: readonly Sense[] = [
    [grace < 0 || lateness < 0, 'Grace and lateness cannot be negative.'],
    [
      isKafka && (lateness > 0 || trigger === 'purging'),
      'Lateness and triggers belong to the semantics flink and beam; kafka has grace.',
    ],
    [!isKafka && grace > 0, 'Grace belongs to the semantics kafka; flink and beam have lateness.'],
    [window.kind === 'sliding' && !isKafka, 'Sliding windows exist in the semantics kafka only; use hopping windows.'],
    [
      window.kind === 'hopping' && isKafka && window.advance > window.size,
      'With the semantics kafka a window advances by its size at most.',
    ],
    [
      emit === 'assign' && (window.kind === 'sliding' || window.kind === 'count'),
      `Assignment is defined for tumbling, hopping and session windows, not for ${window.kind}.`,
    ],
  ];
  for (const [isWrong, sentence] of checks) {
    if (isWrong) {
      throw new RangeError(sentence);
    }
  }
}

/** The options with every default filled in. */
function partsOf<V, R>(options: WindowOperatorOptions<V, R>, semantics: Semantics): OperatorParts<V, R> {
  const { window, emit = 'final' } = options;
  const usual: ClockSpec = semantics === 'kafka' ? { kind: 'stream-time' } : { kind: 'watermark' };
  return {
    aggregate: options.aggregate,
    rules: windowRules(window, semantics, { grace: options.grace ?? 0, lateness: options.lateness ?? 0 }),
    // While assigning nobody moves the clock, so that nothing is late.
    clock: emit === 'assign' ? { kind: 'watermark' } : (options.clock ?? usual),
    emit,
    trigger: options.trigger ?? 'accumulating',
    maxKeys: options.maxKeys ?? 1_000_000,
    onResult: options.onResult,
    onLate: options.onLate ?? (() => undefined),
  };
}

/** Makes the operator that fits: shared panes where windows only fire once, a state per window where they can fire again. */
export function createWindowOperator<V, R>(options: WindowOperatorOptions<V, R>): WindowOperator<V> {
  const semantics = options.semantics ?? 'kafka';
  requireSense(options, semantics);
  const parts = partsOf(options, semantics);
  const { window } = options;
  switch (window.kind) {
    case 'sliding':
      return new SlidingOperator(parts, window.size);
    case 'session':
      return new SessionOperator(parts, window.gap);
    case 'count':
      return new CountOperator(parts, window.size, window.advance);
    case 'tumbling':
    case 'hopping': {
      const { size, offset } = window;
      const advance = window.kind === 'hopping' ? window.advance : size;
      const firesOnce = parts.emit === 'final' && parts.rules.forgetsAfter === parts.rules.firesAfter;
      return firesOnce
        ? new PaneOperator(parts, { size, advance, offset })
        : new PerWindowOperator(parts, { size, advance, offset });
    }
  }
}
