// Streaming MapReduce: map -> combine -> key -> window -> reduce -> sink. A job is a value; a MapSide turns inputs into partial
// aggregates per key and slot of time, a ReduceSide merges partials into windows. Both sides may run in one process (runningJob) or
// apart, with a keyed shuffle between them (partials travel as JSON): the results are the same bytes.

import { opaque, type Aggregate, type Json } from '../windows/aggregates/aggregate.ts';
import { paneLength } from '../windows/operators/aligned.ts';
import type { ClockSpec } from '../windows/watermark.ts';
import { createWindowOperator, type OperatorCounters, type WindowOperator } from '../windows/window-operator.ts';
import type { LateRecord, Semantics, Trigger, WindowResult, WindowSpec } from '../windows/window.ts';

/** What map calls for each intermediate record: the key it belongs to, its value and event time, and when it was received. */
export type Emit<V> = (key: string, value: V, ts: number, receivedAt?: number) => void;

/** A job as a value: what map emits, into which windows it falls, how it is reduced. The options are those of a window operator. */
export type Job<I, V, A, R> = {
  readonly name: string;
  /** Called once per input; may emit any number of records. Must depend on the input alone. */
  readonly map: (input: I, emit: Emit<V>) => void;
  readonly window: WindowSpec;
  /** Combines on the map side and reduces on the other. */
  readonly reduce: Aggregate<V, A, R>;
  readonly semantics?: Semantics;
  readonly clock?: ClockSpec;
  readonly grace?: number;
  readonly lateness?: number;
  readonly trigger?: Trigger;
  readonly maxKeys?: number;
};

/** A partial aggregate on its way from the map side to the reduce side. */
export type Partial<A> = {
  readonly key: string;
  readonly partial: A;
  readonly ts: number;
  readonly receivedAt: number;
};

const { floor, max } = Math;

/** Event time within which the map side may merge records of a key without changing any window. */
function slotOf(window: WindowSpec, ts: number): number {
  switch (window.kind) {
    case 'tumbling':
      return floor((ts - window.offset) / window.size);
    case 'hopping':
      return floor((ts - window.offset) / paneLength(window));
    case 'session':
    case 'sliding':
      return ts;
    case 'count':
      return 0; // counts are of inputs: combining stays within one input
  }
}

/** Maps inputs and combines what they emit. */
export class MapSide<I, V, A, R> {
  private readonly job: Job<I, V, A, R>;
  private order = 0;

  constructor(job: Job<I, V, A, R>) {
    this.job = job;
  }

  /**
   * The partials of these inputs, in order of first appearance of their key and slot. `order`: number of the first record that they
   * emit, by which records of the same time are told apart; by default numbers go on from the last call.
   */
  process(inputs: readonly I[], order = this.order): Partial<A>[] {
    this.order = order;
    if (this.job.window.kind === 'count') {
      return inputs.flatMap((input) => this.combine([input]));
    }
    return this.combine(inputs);
  }

  /** Records emitted so far. */
  get emitted(): number {
    return this.order;
  }

  /** Goes on with the numbers of a side that had emitted so many records. */
  continueFrom(emitted: number): void {
    this.order = emitted;
  }

  private combine(inputs: readonly I[]): Partial<A>[] {
    const { map, reduce, window } = this.job;
    const slots = new Map<string, { key: string; partial: A; ts: number; receivedAt: number }>();
    const emit: Emit<V> = (key, value, ts, receivedAt = ts) => {
      const name = `${slotOf(window, ts)} ${key}`;
      let slot = slots.get(name);
      if (slot === undefined) {
        slot = { key, partial: reduce.create(), ts, receivedAt };
        slots.set(name, slot);
      }
      reduce.add(slot.partial, value, ts, this.order++);
      slot.ts = max(slot.ts, ts);
      slot.receivedAt = max(slot.receivedAt, receivedAt);
    };
    for (const input of inputs) {
      map(input, emit);
    }
    return [...slots.values()];
  }
}

/** Where the results of a job go; called synchronously, in order. */
export type JobOutput<R> = {
  /** One window of one key. */
  readonly onResult: (result: WindowResult<R>) => void;
  /** A record that came after its windows were closed. */
  readonly onLate?: (late: LateRecord<unknown>) => void;
};

/** Merges partials into windows and hands out results. */
export class ReduceSide<I, V, A, R> {
  private readonly job: Job<I, V, A, R>;
  private readonly operator: WindowOperator<A>;

  constructor(job: Job<I, V, A, R>, { onResult, onLate }: JobOutput<R>) {
    this.job = job;
    const { window, semantics, clock, grace, lateness, trigger, maxKeys } = job;
    const options = { semantics, clock, grace, lateness, trigger, maxKeys };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const merging: Aggregate<A, A, R> = { ...job.reduce, add: (into, partial) => job.reduce.merge(into, partial) };
    this.operator = createWindowOperator({
      window,
      aggregate: opaque(merging),
      onResult,
      ...(onLate === undefined ? {} : { onLate }),
      ...given,
    });
  }

  /** Merges partials in the order given. */
  process(partials: readonly Partial<A>[]): void {
    for (const { key, partial, ts, receivedAt } of partials) {
      this.operator.push(key, partial, ts, receivedAt);
    }
  }

  /** Event time of the key goes on without a record. */
  observe(key: string, ts: number, receivedAt: number): void {
    this.operator.observe(key, ts, receivedAt);
  }

  /** The key is over: its windows close now. */
  endKey(key: string): void {
    this.operator.endKey(key);
  }

  /** Explicit watermark (ms) for all keys. */
  advance(to: number): void {
    this.operator.advance(to);
  }

  /** End of the input: every window closes. */
  flush(): void {
    this.operator.flush();
  }

  /** What has been counted since this side was made. */
  counters(): OperatorCounters {
    return this.operator.counters();
  }

  /** The whole state, for `restore` of a side of the same job. */
  snapshot(): Json {
    return this.operator.snapshot();
  }

  /** Replaces the state by that of a snapshot. */
  restore(saved: Json): void {
    this.operator.restore(saved);
  }

  /** A partial as it travels through a topic. */
  encode({ key, partial, ts, receivedAt }: Partial<A>): Json {
    return [key, this.job.reduce.save(partial), ts, receivedAt];
  }

  /** The inverse of `encode`. */
  decode(saved: Json): Partial<A> {
    const [key, partial, ts, receivedAt] = saved as [string, Json, number, number];
    return { key, partial: this.job.reduce.load(partial), ts, receivedAt };
  }
}

/** Both sides in one place. */
export class RunningJob<I, V, A, R> extends ReduceSide<I, V, A, R> {
  private readonly mapSide: MapSide<I, V, A, R>;

  constructor(job: Job<I, V, A, R>, output: JobOutput<R>) {
    super(job, output);
    this.mapSide = new MapSide(job);
  }

  /** Maps, combines and reduces one input after the other: how inputs are batched never shows in the results. */
  take(inputs: readonly I[]): void {
    for (const input of inputs) {
      this.process(this.mapSide.process([input]));
    }
  }

  override snapshot(): Json {
    return { ...(super.snapshot() as object), emitted: this.mapSide.emitted };
  }

  override restore(saved: Json): void {
    super.restore(saved);
    this.mapSide.continueFrom((saved as { emitted?: number }).emitted ?? 0);
  }
}

/** Runs a whole bounded input; the windows still open at its end come out too. */
export function runJob<I, V, A, R>(job: Job<I, V, A, R>, inputs: Iterable<I>): WindowResult<R>[] {
  const results: WindowResult<R>[] = [];
  const running = new RunningJob(job, { onResult: (result) => results.push(result) });
  for (const input of inputs) {
    running.take([input]);
  }
  running.flush();
  return results;
}
