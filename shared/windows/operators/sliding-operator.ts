// Sliding windows in Kafka's sense: for every record the window that ends at it, [ts - size, ts], and the one that starts after it,
// [ts + 1, ts + 1 + size], where that holds anything. Both bounds inclusive; windows are made as records need them and inherit what
// their neighbours hold. Records younger than `size` share the window [0, size], because no window starts below 0.

import type { Json } from '../aggregates/aggregate.ts';
import { KeyedOperator, type Keyed, type OperatorParts } from './keyed-operator.ts';

type SlidingWindow = { start: number; accumulator: unknown; newest: number; hasFired: boolean };

const { max } = Math;

export class SlidingOperator<V, R> extends KeyedOperator<V, R, SlidingWindow[]> {
  private readonly size: number;

  constructor(parts: OperatorParts<V, R>, size: number) {
    super(parts);
    this.size = size;
  }

  /** Windows of a key in order of their starts. */
  protected newState(): SlidingWindow[] {
    return [];
  }

  protected isEmpty(state: SlidingWindow[]): boolean {
    return state.length === 0;
  }

  protected take(keyed: Keyed<SlidingWindow[]>, value: V, ts: number, now: number): void {
    const { lateAfter } = this.parts.rules;
    if (ts + this.size + lateAfter <= now) {
      this.late({ key: keyed.key, value, ts, start: ts - this.size }); // not even its right window is open
      return;
    }
    if (ts < this.size) {
      this.takeEarly(keyed, value, ts);
    } else {
      this.takeRegular(keyed, value, ts);
    }
  }

  private takeRegular(keyed: Keyed<SlidingWindow[]>, value: V, ts: number): void {
    const near = keyed.state.filter(({ start }) => start >= ts - 2 * this.size && start <= ts + 1);
    const starts = new Set(near.map(({ start }) => start));
    const before = near.filter(({ start }) => start + this.size < ts).at(-1);
    const left = near.find(({ start }) => start + this.size === ts);
    const overlapping = near.filter(({ start }) => start <= ts && start + this.size > ts);
    const right = this.copyOf(overlapping.at(-1));
    let previous = before?.newest ?? null;
    if (left !== undefined && left.newest < ts) {
      previous = left.newest;
    }
    if (left !== undefined) {
      this.update(keyed, left, value, ts);
    }
    overlapping.forEach((window) => this.update(keyed, window, value, ts));
    if (previous !== null && !starts.has(previous + 1) && previous + 1 + this.size >= ts) {
      this.update(keyed, this.emptyWindow(previous + 1), value, ts);
    }
    if (left === undefined) {
      const inherits = before !== undefined && before.newest >= ts - this.size;
      const inherited = inherits ? this.copyOf(before) : null;
      const window = inherited ?? this.emptyWindow(ts - this.size);
      window.start = ts - this.size;
      this.update(keyed, window, value, ts);
    }
    this.makeRight(keyed, starts, right, ts);
  }

  private takeEarly(keyed: Keyed<SlidingWindow[]>, value: V, ts: number): void {
    const near = keyed.state.filter(({ start }) => start <= ts + 1);
    const starts = new Set(near.map(({ start }) => start));
    const combined = near.find(({ start }) => start === 0);
    const overlapping = near.filter(({ start }) => start > 0 && start <= ts);
    const previous = combined !== undefined && combined.newest < ts ? combined.newest : null;
    const youngest = overlapping.at(-1) ?? (combined !== undefined && combined.newest > ts ? combined : undefined);
    const right = this.copyOf(youngest);
    overlapping.forEach((window) => this.update(keyed, window, value, ts));
    this.makeRight(keyed, starts, right, ts);
    if (previous !== null && !starts.has(previous + 1)) {
      this.update(keyed, this.emptyWindow(previous + 1), value, ts);
    }
    this.update(keyed, combined ?? this.emptyWindow(0), value, ts);
  }

  /** The window right of the record, where there is something in it and it does not exist yet. */
  private makeRight(
    keyed: Keyed<SlidingWindow[]>,
    starts: ReadonlySet<number>,
    neighbour: SlidingWindow | null,
    ts: number,
  ): void {
    if (neighbour !== null && neighbour.newest > ts && !starts.has(ts + 1)) {
      neighbour.start = ts + 1;
      neighbour.hasFired = false;
      this.keep(keyed, neighbour);
      if (this.parts.emit === 'update') {
        this.emit(keyed.key, neighbour, false);
      }
    }
  }

  private emptyWindow(start: number): SlidingWindow {
    return { start, accumulator: this.parts.aggregate.create(), newest: -Infinity, hasFired: false };
  }

  private copyOf(window: SlidingWindow | undefined): SlidingWindow | null {
    if (window === undefined) {
      return null;
    }
    const copy = { ...this.emptyWindow(window.start), newest: window.newest };
    this.parts.aggregate.merge(copy.accumulator, window.accumulator);
    return copy;
  }

  private update(keyed: Keyed<SlidingWindow[]>, window: SlidingWindow, value: V, ts: number): void {
    const { start } = window;
    if (start + this.size + this.parts.rules.lateAfter <= this.now(keyed)) {
      this.late({ key: keyed.key, value, ts, start });
      return;
    }
    this.parts.aggregate.add(window.accumulator, value, ts, this.order);
    window.newest = max(window.newest, ts);
    this.keep(keyed, window);
    if (this.parts.emit === 'update') {
      this.emit(keyed.key, window, false);
    }
  }

  private keep(keyed: Keyed<SlidingWindow[]>, window: SlidingWindow): void {
    if (keyed.state.includes(window)) {
      return;
    }
    const after = keyed.state.findIndex(({ start }) => start > window.start);
    keyed.state.splice(after < 0 ? keyed.state.length : after, 0, window);
    this.setTimers(keyed, window);
  }

  private setTimers(keyed: Keyed<SlidingWindow[]>, { start }: SlidingWindow): void {
    this.schedule(keyed, start, start + this.size + this.parts.rules.firesAfter);
    this.schedule(keyed, start, start + this.size + this.parts.rules.forgetsAfter);
  }

  protected onTimer(keyed: Keyed<SlidingWindow[]>, start: number, time: number): void {
    const window = keyed.state.find((candidate) => candidate.start === start);
    if (window === undefined) {
      return;
    }
    const end = start + this.size;
    if (time === end + this.parts.rules.firesAfter && !window.hasFired) {
      window.hasFired = true;
      if (this.parts.emit === 'final' || this.isFlushing) {
        this.emit(keyed.key, window, true);
      }
    }
    if (time === end + this.parts.rules.forgetsAfter) {
      keyed.state.splice(keyed.state.indexOf(window), 1);
    }
  }

  private emit(key: string, { start, accumulator, newest }: SlidingWindow, final: boolean): void {
    const end = start + this.size;
    const value = this.parts.aggregate.result(accumulator, { start, end });
    this.parts.onResult({ key, start, end, value, ts: newest, final });
  }

  protected saveState(state: SlidingWindow[]): Json {
    return state.map(({ start, accumulator, newest, hasFired }) => [
      start,
      this.parts.aggregate.save(accumulator),
      newest,
      hasFired,
    ]);
  }

  protected loadState(keyed: Keyed<SlidingWindow[]>, saved: Json): void {
    for (const [start, accumulator, newest, hasFired] of saved as [number, Json, number, boolean][]) {
      const window = { start, accumulator: this.parts.aggregate.load(accumulator), newest, hasFired };
      keyed.state.push(window);
      this.setTimers(keyed, window);
    }
  }
}
