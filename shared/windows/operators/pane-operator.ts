// Tumbling and hopping windows that fire once: records go to one pane each (gcd of size and advance), windows are merged from panes
// when they close, so that the cost per record does not depend on the overlap.

import type { Json } from '../aggregates/aggregate.ts';
import { firstStartFromZero, newestStart, oldestStart, paneLength, type AlignedWindows } from './aligned.ts';
import { KeyedOperator, type Keyed, type OperatorParts } from './keyed-operator.ts';
import { PaneAggregator } from './pane-aggregator.ts';

type KeyPanes<V, R> = {
  readonly panes: PaneAggregator<V, R>;
  /** Start of the window of this key that closes next; Infinity without any. */
  nextStart: number;
  /** The pane of the last record, its first window and the time that this window closes at: most records stay in it. */
  lastIndex: number;
  lastIsOpenUntil: number;
};

const { floor, max } = Math;

export class PaneOperator<V, R> extends KeyedOperator<V, R, KeyPanes<V, R>> {
  private readonly aligned: AlignedWindows;
  private readonly pane: number;
  private readonly panesPerWindow: number;
  private readonly lowestStart: number;

  constructor(parts: OperatorParts<V, R>, aligned: AlignedWindows) {
    super(parts);
    this.aligned = aligned;
    this.pane = paneLength(aligned);
    this.panesPerWindow = aligned.size / this.pane;
    this.lowestStart = parts.rules.clipsAtZero ? firstStartFromZero(aligned) : -Infinity;
  }

  protected newState(): KeyPanes<V, R> {
    return {
      panes: new PaneAggregator(this.parts.aggregate),
      nextStart: Infinity,
      lastIndex: Number.NaN,
      lastIsOpenUntil: -Infinity,
    };
  }

  protected isEmpty(state: KeyPanes<V, R>): boolean {
    return state.nextStart === Infinity;
  }

  protected take(keyed: Keyed<KeyPanes<V, R>>, value: V, ts: number, now: number): void {
    const state = keyed.state;
    const index = floor((ts - this.aligned.offset) / this.pane);
    if (index !== state.lastIndex || now >= state.lastIsOpenUntil) {
      const firstOpen = this.firstOpenStart(keyed, value, ts, now);
      if (firstOpen === Infinity) {
        return;
      }
      if (firstOpen < state.nextStart) {
        state.nextStart = firstOpen;
        this.scheduleNext(keyed);
      }
    }
    state.panes.add(index, value, ts, this.order);
  }

  /** The oldest window of `ts` that still takes records; tells about the others. Infinity when there is none. */
  private firstOpenStart(keyed: Keyed<KeyPanes<V, R>>, value: V, ts: number, now: number): number {
    const { size, advance, offset } = this.aligned;
    const { lateAfter, semantics } = this.parts.rules;
    const oldest = max(oldestStart(this.aligned, ts), this.lowestStart);
    const newest = newestStart(this.aligned, ts);
    keyed.state.lastIndex = Number.NaN;
    let start = oldest;
    for (; start <= newest && start + size + lateAfter <= now; start += advance) {
      if (semantics === 'kafka') {
        this.late({ key: keyed.key, value, ts, start });
      }
    }
    if (start > newest) {
      if (semantics !== 'kafka' && ts + 1 + lateAfter <= now) {
        this.late({ key: keyed.key, value, ts });
      }
      return Infinity;
    }
    if (start === oldest) {
      keyed.state.lastIndex = floor((ts - offset) / this.pane);
      keyed.state.lastIsOpenUntil = start + size + lateAfter;
    }
    return start;
  }

  private scheduleNext(keyed: Keyed<KeyPanes<V, R>>): void {
    const start = keyed.state.nextStart;
    this.schedule(keyed, start, start + this.aligned.size + this.parts.rules.firesAfter);
  }

  protected onTimer(keyed: Keyed<KeyPanes<V, R>>, start: number): void {
    const state = keyed.state;
    if (state.nextStart !== start) {
      return; // an older window came first, or this one is closed already
    }
    const { size, advance, offset } = this.aligned;
    const first = (start - offset) / this.pane;
    const merged = state.panes.merged(first, first + this.panesPerWindow);
    if (merged !== null) {
      const end = start + size;
      this.parts.onResult({
        key: keyed.key,
        start,
        end,
        value: this.parts.aggregate.result(merged.accumulator, { start, end }),
        ts: this.parts.rules.stampsNewestRecord ? merged.newest : end - 1,
        final: true,
      });
    }
    state.panes.forget(first, first + advance / this.pane);
    state.nextStart = this.startAfter(state, start);
    if (state.nextStart !== Infinity) {
      this.scheduleNext(keyed);
    }
  }

  /** The next window after `start` that holds something. */
  private startAfter(state: KeyPanes<V, R>, start: number): number {
    const { advance, offset } = this.aligned;
    const { panes } = state.panes;
    if (panes.size === 0) {
      return Infinity;
    }
    const next = start + advance;
    const first = (next - offset) / this.pane;
    if (panes.has(first + this.panesPerWindow - 1) || panes.has(first)) {
      return next;
    }
    return max(next, oldestStart(this.aligned, offset + state.panes.oldest() * this.pane));
  }

  protected saveState(state: KeyPanes<V, R>): Json {
    return [state.nextStart === Infinity ? null : state.nextStart, state.panes.save()];
  }

  protected loadState(keyed: Keyed<KeyPanes<V, R>>, saved: Json): void {
    const [nextStart, panes] = saved as [number | null, Json];
    keyed.state.panes.load(panes);
    if (nextStart !== null) {
      keyed.state.nextStart = nextStart;
      this.scheduleNext(keyed);
    }
  }
}
