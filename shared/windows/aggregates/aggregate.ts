// The role of an aggregate: how records of one window (or pane) become one value. Accumulators are mutable objects owned by the
// operator; `merge` makes panes, sessions and shards possible, `save`/`load` make state crash-safe. Every aggregate here gives the
// same result whatever the order of arrival within the lateness bound, except `concat`, which keeps the order of arrival.

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The bounds that a result belongs to, for aggregates per unit of time. */
export type Span = { readonly start: number; readonly end: number };

/** How values `V` of one window become one result `R`, through a mutable accumulator `A` that the operator owns. */
export interface Aggregate<V, A, R> {
  /** An accumulator of nothing. */
  create(): A;
  /** Adds one record. `ts` is its event time in ms, `order` its number in order of arrival. */
  add(accumulator: A, value: V, ts: number, order: number): void;
  /** Adds everything that is in `from`; `from` stays as it is. */
  merge(into: A, from: A): void;
  /** The value of the window so far; leaves the accumulator as it is. */
  result(accumulator: A, span: Span): R;
  /** The accumulator as JSON. */
  save(accumulator: A): Json;
  /** The inverse of `save`. Input comes from our own snapshots. */
  load(saved: Json): A;
}

/** An aggregate whose accumulator nobody outside needs to know. */
export type AnyAggregate<V, R> = Aggregate<V, unknown, R>;

/** Turns typed into untyped accumulators: the operator is the only one that holds them. */
export function opaque<V, A, R>(aggregate: Aggregate<V, A, R>): AnyAggregate<V, R> {
  return aggregate;
}
