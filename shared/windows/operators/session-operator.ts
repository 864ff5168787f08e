// Session windows: records of a key less than a gap apart belong together, and a record between two sessions makes them one.
// Kafka: [first, last], both inclusive, and a merged session is retracted by a null. Flink and Beam: [first, last + gap).

import type { Json } from '../aggregates/aggregate.ts';
import { isSameSession } from '../semantics.ts';
import { KeyedOperator, type Keyed, type OperatorParts } from './keyed-operator.ts';
import { byStartThenKey } from './timer-queue.ts';

type Session = { first: number; last: number; accumulator: unknown; isEmpty: boolean; hasFired: boolean };
/** What `assign` shows at the end: every record with the session that it ended up in. */
type Assigned<V> = { readonly key: string; readonly value: V; readonly ts: number; readonly order: number };

const { max, min } = Math;
/** Records that `assign` remembers until the end of the input. */
const MAX_ASSIGNED = 1_000_000;

export class SessionOperator<V, R> extends KeyedOperator<V, R, Session[]> {
  private readonly gap: number;
  /** Distance from `last` to the end that rules count from: Kafka's end is the last record itself. */
  private readonly endsAfterLast: number;
  private readonly assigned: Assigned<V>[] = [];

  constructor(parts: OperatorParts<V, R>, gap: number) {
    super(parts, parts.rules.semantics === 'kafka' ? byStartThenKey : undefined);
    this.gap = gap;
    this.endsAfterLast = parts.rules.semantics === 'kafka' ? 0 : gap;
  }

  protected newState(): Session[] {
    return [];
  }

  protected isEmpty(state: Session[]): boolean {
    return state.length === 0;
  }

  private endOf(session: Session): number {
    return session.last + this.endsAfterLast;
  }

  protected take(keyed: Keyed<Session[]>, value: V, ts: number, now: number): void {
    const { aggregate, rules, emit } = this.parts;
    const merged: Session = { first: ts, last: ts, accumulator: aggregate.create(), isEmpty: false, hasFired: false };
    const joined = keyed.state.filter((session) => this.belongs(session, ts));
    for (const session of joined) {
      merged.first = min(merged.first, session.first);
      merged.last = max(merged.last, session.last);
    }
    // Beam judges the record's own window, before it merges.
    const judged = rules.semantics === 'beam' ? ts + this.gap : this.endOf(merged);
    if (judged + rules.lateAfter <= now) {
      this.late({ key: keyed.key, value, ts, ...(rules.semantics === 'kafka' ? { start: merged.first } : {}) });
      return;
    }
    for (const session of joined) {
      this.remove(keyed, session, merged);
      aggregate.merge(merged.accumulator, session.accumulator);
    }
    aggregate.add(merged.accumulator, value, ts, this.order);
    this.insert(keyed, merged);
    if (emit === 'update') {
      this.emit(keyed.key, merged, false);
    } else if (emit === 'assign') {
      this.remember({ key: keyed.key, value, ts, order: this.order });
    } else if (this.endOf(merged) + rules.firesAfter <= now) {
      merged.hasFired = true;
      this.fireSession(keyed.key, merged);
    }
  }

  private belongs(session: Session, ts: number): boolean {
    const distance = ts < session.first ? session.first - ts : ts - session.last;
    return distance <= 0 || isSameSession(this.parts.rules.semantics, distance, this.gap);
  }

  private remove(keyed: Keyed<Session[]>, session: Session, merged: Session): void {
    keyed.state.splice(keyed.state.indexOf(session), 1);
    const isReplaced = session.first === merged.first && session.last === merged.last && merged.first === merged.last;
    if (this.parts.emit === 'update' && this.parts.rules.semantics === 'kafka' && !isReplaced) {
      const { first: start, last: end } = session;
      this.parts.onResult({ key: keyed.key, start, end, value: null, ts: end, final: false });
    }
  }

  private insert(keyed: Keyed<Session[]>, session: Session): void {
    const after = keyed.state.findIndex((other) => other.first > session.first);
    keyed.state.splice(after < 0 ? keyed.state.length : after, 0, session);
    this.setTimers(keyed, session);
  }

  private setTimers(keyed: Keyed<Session[]>, session: Session): void {
    const { firesAfter, forgetsAfter } = this.parts.rules;
    this.schedule(keyed, session.first, this.endOf(session) + firesAfter);
    if (forgetsAfter !== firesAfter) {
      this.schedule(keyed, session.first, this.endOf(session) + forgetsAfter);
    }
  }

  protected onTimer(keyed: Keyed<Session[]>, start: number, time: number): void {
    const session = keyed.state.find((candidate) => candidate.first === start);
    if (session === undefined) {
      return;
    }
    const { rules, emit } = this.parts;
    if (time === this.endOf(session) + rules.firesAfter && !session.hasFired) {
      session.hasFired = true;
      if (emit === 'final' || (emit === 'update' && this.isFlushing)) {
        this.fireSession(keyed.key, session);
      }
    }
    if (time === this.endOf(session) + rules.forgetsAfter && !(emit === 'assign' && this.isFlushing)) {
      keyed.state.splice(keyed.state.indexOf(session), 1);
    }
  }

  private fireSession(key: string, session: Session): void {
    if (session.isEmpty) {
      return;
    }
    this.emit(key, session, true);
    if (this.parts.trigger === 'purging') {
      session.accumulator = this.parts.aggregate.create();
      session.isEmpty = true;
    }
  }

  private emit(key: string, session: Session, final: boolean): void {
    const start = session.first;
    const end = this.endOf(session);
    const value = this.parts.aggregate.result(session.accumulator, { start, end });
    this.parts.onResult({ key, start, end, value, ts: this.parts.rules.stampsNewestRecord ? end : end - 1, final });
  }

  private remember(record: Assigned<V>): void {
    if (this.assigned.length >= MAX_ASSIGNED) {
      throw new RangeError(`Session assignment shows at most ${MAX_ASSIGNED} records.`);
    }
    this.assigned.push(record);
  }

  override flush(): void {
    super.flush();
    const running = new Map<Session, unknown>();
    for (const { key, value, ts, order } of this.assigned) {
      const session = this.keys.get(key)?.state.find((candidate) => candidate.first <= ts && ts <= candidate.last);
      if (session !== undefined) {
        const accumulator = running.get(session) ?? this.parts.aggregate.create();
        running.set(session, accumulator);
        this.parts.aggregate.add(accumulator, value, ts, order);
        const [start, end] = [session.first, this.endOf(session)];
        const result = this.parts.aggregate.result(accumulator, { start, end });
        this.parts.onResult({ key, start, end, value: result, ts, final: false });
      }
    }
    this.assigned.length = 0;
  }

  override snapshot(): Json {
    const assigned = this.assigned.map(({ key, value, ts, order }) => [key, value as Json, ts, order]);
    return { ...(super.snapshot() as Record<string, Json>), ...(assigned.length === 0 ? {} : { assigned }) };
  }

  override restore(saved: Json): void {
    super.restore(saved);
    const { assigned = [] } = saved as { assigned?: [string, Json, number, number][] };
    this.assigned.length = 0;
    for (const [key, value, ts, order] of assigned) {
      this.assigned.push({ key, value: value as V, ts, order });
    }
  }

  protected saveState(state: Session[]): Json {
    return state.map(({ first, last, accumulator, isEmpty, hasFired }) => [
      first,
      last,
      this.parts.aggregate.save(accumulator),
      isEmpty,
      hasFired,
    ]);
  }

  protected loadState(keyed: Keyed<Session[]>, saved: Json): void {
    for (const [first, last, accumulator, isEmpty, hasFired] of saved as [number, number, Json, boolean, boolean][]) {
      const session = { first, last, accumulator: this.parts.aggregate.load(accumulator), isEmpty, hasFired };
      keyed.state.push(session);
      this.setTimers(keyed, session);
    }
  }
}
