// Windows of a number of records of one key, in order of arrival: `start` and `end` are record numbers, counted from 0 per key.
// They know no time, so nothing is late; at the end of the input a last window that is not full comes out marked partial.

import type { Json } from '../aggregates/aggregate.ts';
import type { ClockSpec } from '../watermark.ts';
import { KeyedOperator, type Keyed, type OperatorParts } from './keyed-operator.ts';

type OpenCount = { start: number; accumulator: unknown; newest: number };
type Counting = { records: number; open: OpenCount[]; coveredUntil: number };

const { max } = Math;
/** Keys end one by one, and no clock ever closes anything. */
const TIMELESS: ClockSpec = { kind: 'per-key', boundMs: 0, aheadMs: Infinity, idleMs: Infinity };

export class CountOperator<V, R> extends KeyedOperator<V, R, Counting> {
  private readonly size: number;
  private readonly step: number;

  constructor(parts: OperatorParts<V, R>, size: number, step: number) {
    super({ ...parts, clock: TIMELESS, rules: { ...parts.rules, clipsAtZero: false } });
    this.size = size;
    this.step = step;
  }

  protected newState(): Counting {
    return { records: 0, open: [], coveredUntil: 0 };
  }

  protected isEmpty(state: Counting): boolean {
    return state.records === 0;
  }

  protected take(keyed: Keyed<Counting>, value: V, ts: number): void {
    const { aggregate, emit } = this.parts;
    const state = keyed.state;
    const number = state.records++;
    if (number % this.step === 0) {
      state.open.push({ start: number, accumulator: aggregate.create(), newest: -Infinity });
    }
    for (const window of state.open) {
      aggregate.add(window.accumulator, value, ts, this.order);
      window.newest = max(window.newest, ts);
      if (emit === 'update') {
        this.emit(keyed.key, window, number + 1, {});
      }
    }
    const oldest = state.open.at(0);
    if (oldest !== undefined && number + 1 === oldest.start + this.size) {
      state.open.shift();
      state.coveredUntil = number + 1;
      if (emit === 'final') {
        this.emit(keyed.key, oldest, number + 1, {});
      }
    }
  }

  private emit(key: string, window: OpenCount, end: number, mark: { readonly partial?: true }): void {
    const { start, accumulator, newest } = window;
    const final = this.parts.emit === 'final';
    const value = this.parts.aggregate.result(accumulator, { start, end });
    this.parts.onResult({ key, start, end, value, ts: newest, final, ...mark });
  }

  protected onTimer(): void {
    // count windows set no timers
  }

  protected override onEnd(keyed: Keyed<Counting>): void {
    const { open, records, coveredUntil } = keyed.state;
    const last = open.at(0);
    // Overlapping windows whose records have all been in a full window add nothing.
    if (last !== undefined && this.parts.emit === 'final' && records > coveredUntil) {
      this.emit(keyed.key, last, records, { partial: true });
    }
    keyed.state.open = [];
  }

  protected saveState({ records, open, coveredUntil }: Counting): Json {
    const windows = open.map(({ start, accumulator, newest }) => [
      start,
      this.parts.aggregate.save(accumulator),
      newest,
    ]);
    return [records, coveredUntil, windows];
  }

  protected loadState(keyed: Keyed<Counting>, saved: Json): void {
    const [records, coveredUntil, windows] = saved as [number, number, [number, Json, number][]];
    const open = windows.map(([start, accumulator, newest]) => ({
      start,
      accumulator: this.parts.aggregate.load(accumulator),
      newest,
    }));
    Object.assign(keyed.state, { records, coveredUntil, open });
  }
}
