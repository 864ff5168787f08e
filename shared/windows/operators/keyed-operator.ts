// What every window operator shares: the state per key, the clocks, the timers that close windows, counters and snapshots.
// Subclasses say what a record does (`take`) and what is due (`onTimer`).

import type { AnyAggregate, Json } from '../aggregates/aggregate.ts';
import type { WindowRules } from '../semantics.ts';
import { newKeyTime, Watermarks, type ClockSpec, type KeyTime } from '../watermark.ts';
import type { EmitMode, LateRecord, Trigger, WindowResult } from '../window.ts';
import { TimerQueue, type TieBreak } from './timer-queue.ts';

/** The options of an operator with every default filled in. */
export type OperatorParts<V, R> = {
  readonly aggregate: AnyAggregate<V, R>;
  readonly rules: WindowRules;
  readonly clock: ClockSpec;
  readonly emit: EmitMode;
  readonly trigger: Trigger;
  readonly maxKeys: number;
  readonly onResult: (result: WindowResult<R>) => void;
  readonly onLate: (late: LateRecord<V>) => void;
};

/** State of one key: its clock, and what the operator holds for it. */
export type Keyed<S> = {
  readonly key: string;
  readonly clock: KeyTime;
  readonly timers: TimerQueue;
  readonly state: S;
};

/** What a Date can hold; bounds of windows around it are still exact. */
const MAX_TIME = 8.64e15;

const timeToJson = (time: number): Json => (Number.isFinite(time) ? time : time > 0 ? 'inf' : null);
const timeFromJson = (saved: Json): number =>
  saved === null ? -Infinity : saved === 'inf' ? Infinity : (saved as number);

export abstract class KeyedOperator<V, R, S> {
  protected readonly parts: OperatorParts<V, R>;
  protected readonly watermarks: Watermarks;
  protected readonly keys = new Map<string, Keyed<S>>();
  /** Number of the current record in order of arrival. */
  protected order = 0;
  /** The input has ended: timers run early, so that open windows still come out. */
  protected isFlushing = false;
  private readonly tieBreak: TieBreak | undefined;
  private readonly sharedTimers: TimerQueue;
  private lateCount = 0;
  private refusedCount = 0;
  private recordCount = 0;

  /** `tieBreak`: the order of windows that close at the same time; by key, then start when left out. */
  protected constructor(parts: OperatorParts<V, R>, tieBreak?: TieBreak) {
    this.parts = parts;
    this.tieBreak = tieBreak;
    this.sharedTimers = new TimerQueue(tieBreak);
    this.watermarks = new Watermarks(parts.clock);
  }

  /** Takes a record whose clock has already moved. `now` is the clock time that judges it. */
  protected abstract take(keyed: Keyed<S>, value: V, ts: number, now: number): void;
  protected abstract onTimer(keyed: Keyed<S>, start: number, time: number): void;
  protected abstract newState(): S;
  /** Whether nothing would be lost by forgetting the key. */
  protected abstract isEmpty(state: S): boolean;
  protected abstract saveState(state: S): Json;
  /** Rebuilds a state and sets its timers again. */
  protected abstract loadState(keyed: Keyed<S>, saved: Json): void;

  push(key: string, value: V, ts: number, receivedAt = ts): void {
    if (!(ts >= -MAX_TIME && ts <= MAX_TIME)) {
      throw new RangeError(`The time of a record must lie within ${MAX_TIME} ms of 1970, not at ${ts}.`);
    }
    const keyed = this.keys.get(key) ?? this.admit(key);
    if (keyed === null) {
      this.refusedCount++;
      return;
    }
    this.recordCount++;
    this.order++;
    const time = this.watermarks.observe(keyed.clock, ts, receivedAt);
    const now = this.watermarks.of(keyed.clock);
    if (this.parts.rules.clipsAtZero && time < 0) {
      this.late({ key, value, ts: time });
    } else {
      this.take(keyed, value, time, now);
    }
    this.runDue(keyed.timers, now);
  }

  observe(key: string, ts: number, receivedAt = ts): void {
    const keyed = this.keys.get(key);
    if (keyed !== undefined) {
      this.watermarks.observe(keyed.clock, ts, receivedAt);
      this.runDue(keyed.timers, this.watermarks.of(keyed.clock));
    }
  }

  advance(to: number): void {
    if (Number.isNaN(to)) {
      throw new RangeError('A watermark is a time, not NaN.');
    }
    // While assigning nothing closes.
    if (!this.watermarks.isPerKey && this.parts.emit !== 'assign') {
      this.watermarks.advance(to);
      this.runDue(this.sharedTimers, this.watermarks.time);
    }
  }

  tick(now: number): void {
    for (const keyed of this.sortedKeys()) {
      if (this.watermarks.tick(keyed.clock, now)) {
        this.runDue(keyed.timers, keyed.clock.time);
      }
    }
  }

  endKey(key: string): void {
    const keyed = this.keys.get(key);
    if (keyed !== undefined && this.watermarks.isPerKey) {
      this.close(keyed.timers);
      this.onEnd(keyed);
      this.keys.delete(key);
    }
  }

  flush(): void {
    if (this.watermarks.isPerKey) {
      for (const keyed of this.sortedKeys()) {
        this.endKey(keyed.key);
      }
      return;
    }
    this.close(this.sharedTimers);
    this.watermarks.advance(Infinity);
  }

  snapshot(): Json {
    return {
      order: this.order,
      time: timeToJson(this.watermarks.time),
      keys: this.sortedKeys().map(({ key, clock, state }) => [
        key,
        [timeToJson(clock.time), timeToJson(clock.newest), timeToJson(clock.receivedAt)],
        this.saveState(state),
      ]),
    };
  }

  restore(saved: Json): void {
    const { order, time, keys } = saved as { order: number; time: Json; keys: [string, Json[], Json][] };
    this.keys.clear();
    this.sharedTimers.clear();
    this.order = order;
    this.watermarks.load(timeFromJson(time));
    for (const [key, clock, state] of keys) {
      const keyed = this.newKeyed(key);
      keyed.clock.time = timeFromJson(clock[0]);
      keyed.clock.newest = timeFromJson(clock[1]);
      keyed.clock.receivedAt = timeFromJson(clock[2]);
      this.loadState(keyed, state);
    }
  }

  counters(): { records: number; late: number; clamped: number; refused: number; keys: number } {
    return {
      records: this.recordCount,
      late: this.lateCount,
      clamped: this.watermarks.clamped,
      refused: this.refusedCount,
      keys: this.keys.size,
    };
  }

  protected late(record: LateRecord<V>): void {
    this.lateCount++;
    this.parts.onLate(record);
  }

  protected now(keyed: Keyed<S>): number {
    return this.watermarks.of(keyed.clock);
  }

  protected schedule(keyed: Keyed<S>, start: number, time: number): void {
    keyed.timers.add({ time, key: keyed.key, start });
  }

  /** What is left to do for a key that ends by itself, after its timers ran. */
  protected onEnd(keyed: Keyed<S>): void {
    keyed.timers.clear();
  }

  private admit(key: string): Keyed<S> | null {
    if (this.keys.size >= this.parts.maxKeys && !this.forgetOneEmptyKey()) {
      return null;
    }
    return this.newKeyed(key);
  }

  private newKeyed(key: string): Keyed<S> {
    const keyed: Keyed<S> = {
      key,
      clock: newKeyTime(),
      timers: this.watermarks.isPerKey ? new TimerQueue(this.tieBreak) : this.sharedTimers,
      state: this.newState(),
    };
    this.keys.set(key, keyed);
    return keyed;
  }

  private forgetOneEmptyKey(): boolean {
    for (const [key, keyed] of this.keys) {
      if (this.isEmpty(keyed.state)) {
        this.keys.delete(key);
        return true;
      }
    }
    return false;
  }

  private close(timers: TimerQueue): void {
    this.isFlushing = true;
    for (let timer = timers.take(Infinity); timer !== null; timer = timers.take(Infinity)) {
      this.fire(timer.key, timer.start, timer.time);
    }
    this.isFlushing = false;
  }

  private runDue(timers: TimerQueue, now: number): void {
    if (timers.nextTime > now) {
      return;
    }
    for (let timer = timers.take(now); timer !== null; timer = timers.take(now)) {
      this.fire(timer.key, timer.start, timer.time);
    }
  }

  private fire(key: string, start: number, time: number): void {
    const keyed = this.keys.get(key);
    if (keyed !== undefined) {
      this.onTimer(keyed, start, time);
    }
  }

  private sortedKeys(): Keyed<S>[] {
    return [...this.keys.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}
