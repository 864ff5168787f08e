// Tumbling and hopping windows that can fire more than once (update, assignment, allowed lateness): one accumulator per window.
// Windows that fire once share panes instead (pane-operator.ts), which costs the same whatever the overlap.

import type { Json } from '../aggregates/aggregate.ts';
import { firstStartFromZero, newestStart, oldestStart, type AlignedWindows } from './aligned.ts';
import { KeyedOperator, type Keyed, type OperatorParts } from './keyed-operator.ts';

type OpenWindow = { accumulator: unknown; isEmpty: boolean; newest: number; hasFired: boolean };
type Windows = Map<number, OpenWindow>;

const { max } = Math;

export class PerWindowOperator<V, R> extends KeyedOperator<V, R, Windows> {
  private readonly aligned: AlignedWindows;
  private readonly lowestStart: number;

  constructor(parts: OperatorParts<V, R>, aligned: AlignedWindows) {
    super(parts);
    this.aligned = aligned;
    this.lowestStart = parts.rules.clipsAtZero ? firstStartFromZero(aligned) : -Infinity;
  }

  protected newState(): Windows {
    return new Map();
  }

  protected isEmpty(state: Windows): boolean {
    return state.size === 0;
  }

  protected take(keyed: Keyed<Windows>, value: V, ts: number, now: number): void {
    const { semantics, lateAfter } = this.parts.rules;
    const { size, advance } = this.aligned;
    const newest = newestStart(this.aligned, ts);
    let hasWindow = false;
    for (let start = max(oldestStart(this.aligned, ts), this.lowestStart); start <= newest; start += advance) {
      if (start + size + lateAfter <= now) {
        if (semantics === 'kafka') {
          this.late({ key: keyed.key, value, ts, start });
        }
        continue;
      }
      hasWindow = true;
      this.addTo(keyed, start, value, ts, now);
    }
    if (!hasWindow && semantics !== 'kafka' && ts + 1 + lateAfter <= now) {
      this.late({ key: keyed.key, value, ts });
    }
  }

  private addTo(keyed: Keyed<Windows>, start: number, value: V, ts: number, now: number): void {
    const window = keyed.state.get(start) ?? this.open(keyed, start);
    this.parts.aggregate.add(window.accumulator, value, ts, this.order);
    window.isEmpty = false;
    window.newest = max(window.newest, ts);
    const { emit, rules } = this.parts;
    if (emit !== 'final') {
      this.emit(keyed.key, start, window, false, emit === 'assign' ? ts : undefined);
    } else if (start + this.aligned.size + rules.firesAfter <= now) {
      window.hasFired = true;
      this.fireWindow(keyed, start, window);
    }
  }

  private open(keyed: Keyed<Windows>, start: number): OpenWindow {
    const window = { accumulator: this.parts.aggregate.create(), isEmpty: true, newest: -Infinity, hasFired: false };
    keyed.state.set(start, window);
    this.setTimers(keyed, start);
    return window;
  }

  private setTimers(keyed: Keyed<Windows>, start: number): void {
    const end = start + this.aligned.size;
    const { firesAfter, forgetsAfter } = this.parts.rules;
    this.schedule(keyed, start, end + firesAfter);
    if (forgetsAfter !== firesAfter) {
      this.schedule(keyed, start, end + forgetsAfter);
    }
  }

  protected onTimer(keyed: Keyed<Windows>, start: number, time: number): void {
    const window = keyed.state.get(start);
    if (window === undefined) {
      return;
    }
    const end = start + this.aligned.size;
    if (time === end + this.parts.rules.firesAfter && !window.hasFired) {
      window.hasFired = true;
      if (this.parts.emit === 'final' || (this.parts.emit === 'update' && this.isFlushing)) {
        this.fireWindow(keyed, start, window);
      }
    }
    if (time === end + this.parts.rules.forgetsAfter) {
      keyed.state.delete(start);
    }
  }

  private fireWindow(keyed: Keyed<Windows>, start: number, window: OpenWindow): void {
    if (window.isEmpty) {
      return;
    }
    this.emit(keyed.key, start, window, true);
    if (this.parts.trigger === 'purging') {
      window.accumulator = this.parts.aggregate.create();
      window.isEmpty = true;
      window.newest = -Infinity;
    }
  }

  private emit(key: string, start: number, window: OpenWindow, final: boolean, stamp?: number): void {
    const end = start + this.aligned.size;
    const value = this.parts.aggregate.result(window.accumulator, { start, end });
    const ts = stamp ?? (this.parts.rules.stampsNewestRecord ? window.newest : end - 1);
    this.parts.onResult({ key, start, end, value, ts, final });
  }

  protected saveState(state: Windows): Json {
    return [...state].map(([start, { accumulator, isEmpty, newest, hasFired }]) => [
      start,
      this.parts.aggregate.save(accumulator),
      isEmpty ? null : newest,
      hasFired,
    ]);
  }

  protected loadState(keyed: Keyed<Windows>, saved: Json): void {
    for (const [start, accumulator, newest, hasFired] of saved as [number, Json, number | null, boolean][]) {
      keyed.state.set(start, {
        accumulator: this.parts.aggregate.load(accumulator),
        isEmpty: newest === null,
        newest: newest ?? -Infinity,
        hasFired,
      });
      this.setTimers(keyed, start);
    }
  }
}
