// What the API says about a stream's health: written by analytics as records of health.v1, read by server/http. A report that is not
// fresh is not believed: numbers older than a few seconds turn to `unknown`, so that stopped analytics can never look healthy.

import { z } from 'zod';

const epochMs = z.number().describe('Unix epoch, milliseconds');

/** Every kind of issue, with what it means for people. */
const ISSUE_TYPES = [
  'starved',
  'bitrate-low',
  'fps-low',
  'keyframe-interval-long',
  'frames-lost',
  'drift',
  'encoder-overloaded',
  'latency-high',
  'rebuffering',
  'decode-errors',
  'viewers-skipping',
  'black-picture',
  'frozen-picture',
  'silence',
  'clipping',
  'av-skew',
  'clock-wrong',
  'device-silent',
  'data-out-of-range',
] as const;

const healthIssueSchema = z.object({
  type: z.enum(ISSUE_TYPES),
  severity: z.enum(['warning', 'critical']),
  stage: z.enum(['publisher', 'encoder', 'delivery', 'viewer', 'device']).describe('where the cause lies'),
  subject: z.string().optional().describe('which source of events, where it is about one'),
  actual: z.number(),
  expected: z.number(),
  advice: z.string(),
  since: epochMs,
});

const endedIssueSchema = healthIssueSchema.extend({ until: epochMs });

export const healthReportSchema = z.object({
  stream: z.string(),
  status: z.enum(['good', 'ok', 'bad', 'unknown']),
  score: z.number().nullable().describe('100 = nothing is wrong; null while unknown'),
  complete: z.number().nullable().describe('share of the reported events that the numbers rest on, 0..1'),
  windowStart: epochMs.nullable(),
  windowEnd: epochMs.nullable(),
  bitrateKbps: z.number().nullable(),
  fps: z.number().nullable(),
  keyframeIntervalMs: z.number().nullable(),
  latencyMs: z
    .object({
      kind: z.enum(['glass', 'ingest']),
      p50: z.number().nullable(),
      p95: z.number().nullable(),
      p99: z.number().nullable(),
    })
    .describe('null percentiles while no viewer reports'),
  issues: z.array(healthIssueSchema),
  recent: z.array(endedIssueSchema).default([]).describe('the last issues that are over, newest first'),
  stages: z
    .array(z.object({ stage: z.string(), p50: z.number(), p95: z.number() }))
    .default([])
    .describe('where latency comes from, in the order of a picture; ms, as far as measured'),
  exemplars: z
    .array(
      z.object({
        le: z.number().nullable().describe('upper bound of the range, ms; null: none'),
        count: z.number().int(),
        ms: z.number(),
        ptsMs: z.number().nullable(),
        session: z.string(),
        rendition: z.string(),
      }),
    )
    .default([])
    .describe('per range of latency how many frames, and the slowest of them'),
  everyMs: z.number().optional().describe('how often a report comes; absent: once a second'),
});

export type IssueType = (typeof ISSUE_TYPES)[number];
export type HealthIssue = z.infer<typeof healthIssueSchema>;
export type EndedIssue = z.infer<typeof endedIssueSchema>;
export type HealthReport = z.infer<typeof healthReportSchema>;

/** A window may be this old before its numbers are not believed: windows close about 1.5 s after their end, once a second. */
const FRESH_MS = 4000;
const EVERY_MS = 1000;
/** Streams remembered; the one unheard for longest is forgotten first. */
const MAX_STREAMS = 20_000;

/** No viewer has reported a latency. */
export const NO_LATENCY: HealthReport['latencyMs'] = { kind: 'ingest', p50: null, p95: null, p99: null };

/** A report that says nothing. */
function unknownHealth(stream: string): HealthReport {
  return {
    stream,
    status: 'unknown',
    score: null,
    complete: null,
    windowStart: null,
    windowEnd: null,
    bitrateKbps: null,
    fps: null,
    keyframeIntervalMs: null,
    latencyMs: NO_LATENCY,
    issues: [],
    recent: [],
    stages: [],
    exemplars: [],
  };
}

export class HealthReadModel {
  private readonly reports = new Map<string, HealthReport>();

  /** Takes a record of health.v1; null: the stream has ended. */
  apply(stream: string, value: unknown): void {
    this.reports.delete(stream);
    const parsed = healthReportSchema.safeParse(value);
    if (value === null || !parsed.success) {
      return;
    }
    this.reports.set(stream, parsed.data);
    if (this.reports.size > MAX_STREAMS) {
      const [oldest] = this.reports.keys();
      this.reports.delete(oldest ?? '');
    }
  }

  /** The stream's health now. Without a fresh report everything is unknown. */
  get(stream: string, nowEpochMs: number): HealthReport {
    const report = this.reports.get(stream);
    const age = nowEpochMs - (report?.windowEnd ?? -Infinity);
    const freshMs = FRESH_MS - EVERY_MS + (report?.everyMs ?? EVERY_MS);
    return report !== undefined && age <= freshMs ? report : unknownHealth(stream);
  }

  /** Streams with a fresh report. */
  all(nowEpochMs: number): HealthReport[] {
    return [...this.reports.keys()].map((stream) => this.get(stream, nowEpochMs));
  }
}
