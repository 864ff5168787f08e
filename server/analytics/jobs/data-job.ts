// The windows over events of any source: per stream and key the usual numbers of a sensor, and how often a text came.

import type { EventRecord } from '../../../shared/telemetry/event-codec.ts';
import type { Aggregate, Json } from '../../../shared/windows/aggregates/aggregate.ts';
import { grouped, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, meanOf, minOf } from '../../../shared/windows/aggregates/numbers.ts';
import { lastOf } from '../../../shared/windows/aggregates/records.ts';
import { topKOf } from '../../../shared/windows/aggregates/top-k.ts';
import type { Emit } from '../../../shared/jobs/job.ts';
import { completenessOf, type Bookkeeping } from './completeness.ts';

type ValueSample = { readonly kind: 'value'; readonly key: string; readonly value: Json };
export type DataSample = ValueSample | Bookkeeping;

const MAX_KEYS = 1000;
const TOP = 5;

const asNumber = ({ value }: ValueSample): number | undefined => (typeof value === 'number' ? value : undefined);
const asText = ({ value }: ValueSample): Json | undefined => (typeof value === 'string' ? value : undefined);

/** The aggregate of a stream's data windows: `keys` by name. */
export const dataReduce = together({
  keys: over(
    (sample: DataSample) => (sample.kind === 'value' ? sample : undefined),
    grouped(
      (sample: ValueSample) => sample.key,
      together({
        count: countOf,
        mean: over(asNumber, meanOf),
        min: over(asNumber, minOf),
        max: over(asNumber, maxOf),
        last: over((sample: ValueSample) => sample.value, lastOf<Json>()),
        top: over(asText, topKOf(TOP, 64)),
      }),
      MAX_KEYS,
    ),
  ),
  complete: completenessOf,
}) as Aggregate<DataSample, unknown, unknown>;

/** Turns one event into samples. */
export function mapData(event: EventRecord, emit: Emit<DataSample>): void {
  if (event.topic === 'data' && 'key' in event) {
    emit(event.stream, { kind: 'record' }, event.ts, event.at);
    emit(event.stream, { kind: 'value', key: event.key, value: event.value as Json }, event.ts, event.at);
  }
}
