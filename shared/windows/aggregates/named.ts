// Aggregates by the names that the command line and configuration use.

import { opaque, type AnyAggregate, type Json } from './aggregate.ts';
import { countOf, maxOf, meanOf, minOf, rateOf, sumOf } from './numbers.ts';
import { percentileOf } from './percentiles.ts';
import { collectOf, concatOf, firstOf, lastOf } from './records.ts';
import { topKOf } from './top-k.ts';

/** A named aggregate and whether its values must be numbers. */
export type NamedAggregate = { readonly needsNumbers: boolean; readonly aggregate: AnyAggregate<Json, unknown> };

const numeric = (aggregate: unknown): NamedAggregate => ({
  needsNumbers: true,
  aggregate: aggregate as AnyAggregate<Json, unknown>,
});
const general = (aggregate: unknown): NamedAggregate => ({
  needsNumbers: false,
  aggregate: aggregate as AnyAggregate<Json, unknown>,
});

const SIMPLE: Readonly<Record<string, () => NamedAggregate>> = {
  count: () => general(opaque(countOf)),
  sum: () => numeric(opaque(sumOf)),
  mean: () => numeric(opaque(meanOf)),
  min: () => numeric(opaque(minOf)),
  max: () => numeric(opaque(maxOf)),
  rate: () => numeric(opaque(rateOf)),
  first: () => general(opaque(firstOf<Json>())),
  last: () => general(opaque(lastOf<Json>())),
  collect: () => general(opaque(collectOf<Json>())),
  concat: () => general(opaque(concatOf())),
};

/** The names, for messages. */
const AGGREGATE_NAMES = 'count, sum, mean, min, max, first, last, rate, collect, concat[:INIT], topk:N or pNN';

/** Reads `sum`, `concat:INIT`, `topk:3`, `p99`, `p99.9`. */
export function aggregateNamed(text: string): NamedAggregate {
  const simple = Object.hasOwn(SIMPLE, text) ? SIMPLE[text] : undefined;
  if (simple !== undefined) {
    return simple();
  }
  if (text.startsWith('concat:')) {
    return general(opaque(concatOf(text.slice('concat:'.length))));
  }
  const topK = /^topk:([1-9]\d{0,5})$/.exec(text);
  if (topK !== null) {
    return general(opaque(topKOf(Number(topK[1]))));
  }
  const percentile = /^p(\d{1,3}(?:\.\d+)?)$/.exec(text);
  if (percentile !== null && Number(percentile[1]) <= 100) {
    return numeric(opaque(percentileOf(Number(percentile[1]))));
  }
  throw new RangeError(`"${text}" is not an aggregate: expected ${AGGREGATE_NAMES}.`);
}
