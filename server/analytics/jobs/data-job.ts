// The windows over events of any source: per stream and key the usual numbers of a sensor, and how often a text came.

import type { EventRecord } from '../../../shared/telemetry/event-codec.ts';
import type { Aggregate, Json } from '../../../shared/windows/aggregates/aggregate.ts';
import { grouped, mapResult, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, meanOf, minOf } from '../../../shared/windows/aggregates/numbers.ts';
import { lastOf } from '../../../shared/windows/aggregates/records.ts';
import { topKOf } from '../../../shared/windows/aggregates/top-k.ts';
import type { Emit } from '../../../shared/jobs/job.ts';
import { completenessOf, type Bookkeeping } from './completeness.ts';

type ValueSample = { readonly kind: 'value'; readonly key: string; readonly value: Json };
/** An event whose time is far from when it came. */
type ClockSample = { readonly kind: 'clock'; readonly key: string; readonly offMs: number };
type KeySample = ValueSample | ClockSample;
export type DataSample = KeySample | Bookkeeping | { readonly kind: 'tick' };

/** What a window says about one key. */
export type KeyWindow = {
  readonly count: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly last: Json;
  /** Texts that came most often. */
  readonly top: Json;
  /** How far the clock of the source is ahead (behind: negative), ms; null: nothing far off came. */
  readonly clockOffMs: number | null;
};

export type DataWindow = { readonly keys: Readonly<Record<string, KeyWindow>>; readonly complete: number };

const MAX_KEYS = 1000;
const TOP = 5;

/** Sources may collect for a while before they send; a clock that is further off is wrong. */
const CLOCK_BEHIND_MS = 60_000;
const CLOCK_AHEAD_MS = 5000;

const valueOf = (sample: KeySample): Json | undefined => (sample.kind === 'value' ? sample.value : undefined);
const asNumber = (sample: KeySample): number | undefined => {
  const value = valueOf(sample);
  return typeof value === 'number' ? value : undefined;
};
const asText = (sample: KeySample): Json | undefined => {
  const value = valueOf(sample);
  return typeof value === 'string' ? value : undefined;
};
const asOff = (sample: KeySample): number | undefined => (sample.kind === 'clock' ? sample.offMs : undefined);

/** The aggregate of a stream's data windows: `keys` by name. */
export const dataReduce = together({
  keys: over(
    (sample: DataSample) => (sample.kind === 'value' || sample.kind === 'clock' ? sample : undefined),
    grouped(
      (sample: KeySample) => sample.key,
      together({
        count: over(valueOf, countOf),
        mean: over(asNumber, meanOf),
        min: over(asNumber, minOf),
        max: over(asNumber, maxOf),
        last: over(valueOf, lastOf<Json>()),
        top: over(asText, topKOf(TOP, 64)),
        clockOffMs: mapResult(over(asOff, together({ low: minOf, high: maxOf })), ({ low, high }) =>
          low === null || high === null ? null : -low > high ? low : high,
        ),
      }),
      MAX_KEYS,
    ),
  ),
  complete: completenessOf,
}) as Aggregate<DataSample, unknown, DataWindow>;

/** Turns one event into samples. */
export function mapData(event: EventRecord, emit: Emit<DataSample>): void {
  if (event.topic !== 'data') {
    return;
  }
  const { stream, ts, at } = event;
  if ('key' in event) {
    const { key } = event;
    emit(stream, { kind: 'record' }, ts, at);
    emit(stream, { kind: 'value', key, value: event.value as Json }, ts, at);
    if (ts - at > CLOCK_AHEAD_MS || at - ts > CLOCK_BEHIND_MS) {
      emit(stream, { kind: 'clock', key, offMs: ts - at }, at, at); // in the window of now, which it would miss else
    }
  } else if (event.type === 'tick') {
    emit(stream, { kind: 'tick' }, ts, at); // windows close where nothing comes, too
  }
}
