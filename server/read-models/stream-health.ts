// The health of a stream as the API says it. Written by analytics from windows; `unknown` where no window has spoken lately.

import { z } from 'zod';

export const healthIssueSchema = z.object({
  type: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  stage: z.string(),
  actual: z.union([z.number(), z.string(), z.null()]),
  expected: z.union([z.number(), z.string(), z.null()]),
  advice: z.string(),
  since: z.number(),
});

export const streamHealthSchema = z.object({
  stream: z.string(),
  status: z.enum(['good', 'ok', 'bad', 'unknown']),
  score: z.number().nullable(),
  complete: z.number().describe('share of the window that arrived, 0..1'),
  windowStart: z.number().nullable(),
  windowEnd: z.number().nullable(),
  bitrateKbps: z.number().nullable(),
  fps: z.number().nullable(),
  keyframeIntervalMs: z.number().nullable(),
  latencyMs: z.object({
    kind: z.enum(['glass', 'ingest']),
    p50: z.number().nullable(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
  }),
  issues: z.array(healthIssueSchema),
});

export type StreamHealth = z.infer<typeof streamHealthSchema>;

/** Nothing is known: there is no window, or the last one is too old. */
export function unknownHealth(stream: string): StreamHealth {
  return {
    stream,
    status: 'unknown',
    score: null,
    complete: 0,
    windowStart: null,
    windowEnd: null,
    bitrateKbps: null,
    fps: null,
    keyframeIntervalMs: null,
    latencyMs: { kind: 'ingest', p50: null, p95: null, p99: null },
    issues: [],
  };
}
