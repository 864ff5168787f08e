// Records of windows.v1.

import type { LogRecord } from '../telemetry/telemetry-log.ts';

/** Value of a record of windows.v1: `start` inclusive, `end` exclusive, epoch ms; the job's result beside them. */
export type WindowRecord = {
  readonly v: 1;
  readonly job: string;
  /** The record's key: a stream id, or the key of a user's job. */
  readonly stream: string;
  readonly start: number;
  readonly end: number;
};

/** One result as a record: the same window always has the same bytes. */
export function windowRecord(
  job: string,
  stream: string,
  { start, end }: { readonly start: number; readonly end: number },
  result: object,
): LogRecord {
  const record: WindowRecord = { v: 1, job, stream, start, end, ...result };
  return {
    key: stream,
    value: JSON.stringify(record),
    timestamp: end,
    headers: {
      ce_type: `tessera.windows.${job}`,
      ce_source: '/tessera/analytics',
      ce_id: `${job}/${stream}/${start}`,
    },
  };
}
