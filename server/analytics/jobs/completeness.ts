// How much of what was reported reached a window: part of every health job's samples and results.

import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';
import { mapResult, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { sumOf } from '../../../shared/windows/aggregates/numbers.ts';

/** What every job's input can be beside its own samples. */
export type Bookkeeping =
  /** One record of the log arrived. */
  | { readonly kind: 'record' }
  /** Records before this one are missing: dropped by the reporter, or lost. */
  | { readonly kind: 'missing'; readonly records: number };

/** Share of the window's records that arrived, 0..1, rounded to four digits; 1 of nothing. */
export const completenessOf: Aggregate<{ readonly kind: string; readonly records?: number }, unknown, number> =
  mapResult(
    together({
      arrived: over((sample: { readonly kind: string }) => (sample.kind === 'record' ? 1 : undefined), sumOf),
      missing: over(
        (sample: { readonly kind: string; readonly records?: number }) =>
          sample.kind === 'missing' ? (sample.records ?? 0) : undefined,
        sumOf,
      ),
    }),
    ({ arrived, missing }) => {
      const all = arrived + missing;
      return all === 0 ? 1 : Math.round((arrived / all) * 10_000) / 10_000;
    },
  );
