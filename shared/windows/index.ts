/**
 * Event-time windows: tumbling, hopping, sliding, session and count windows over records with a key and a time, with watermarks,
 * lateness, incremental aggregates and snapshots. Imports nothing, knows no clock; usable alone.
 * @module
 */

export {
  createWindowOperator,
  type OperatorCounters,
  type WindowOperator,
  type WindowOperatorOptions,
} from './window-operator.ts';
export {
  count,
  hopping,
  parseDuration,
  parseWindowSpec,
  session,
  sliding,
  tumbling,
  type EmitMode,
  type LateRecord,
  type Semantics,
  type Trigger,
  type WindowResult,
  type WindowSpec,
} from './window.ts';
export type { ClockSpec } from './watermark.ts';
export { opaque, type Aggregate, type AnyAggregate, type Json, type Span } from './aggregates/aggregate.ts';
export { grouped, mapResult, over, together, type ResultsOf } from './aggregates/composite.ts';
export { aggregateNamed, type NamedAggregate } from './aggregates/named.ts';
export { countOf, maxOf, meanOf, minOf, rateOf, sumOf } from './aggregates/numbers.ts';
export { histogramOf, percentileOf, percentilesOf } from './aggregates/percentiles.ts';
export { collectOf, concatOf, firstOf, lastOf } from './aggregates/records.ts';
export { topKOf, type Frequency } from './aggregates/top-k.ts';
