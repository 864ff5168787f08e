// The windows over what viewers see and what the server sends them. Reports of viewers are untrusted: each counts for its own session
// only, for as long as it really took, its values are clamped, and its number of latency samples is bounded.

import type { EventRecord } from '../../../shared/telemetry/event-codec.ts';
import { VIEWER_STAGES, type ViewerReport, type ViewerStage } from '../../../shared/telemetry/events.ts';
import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';
import { grouped, mapResult, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, sumOf } from '../../../shared/windows/aggregates/numbers.ts';
import { percentileOf, percentilesOf } from '../../../shared/windows/aggregates/percentiles.ts';
import { lastOf } from '../../../shared/windows/aggregates/records.ts';
import type { Emit } from '../../../shared/jobs/job.ts';
import { completenessOf, type Bookkeeping } from './completeness.ts';
import { exemplarsOf, type Exemplar, type SeenFrame } from './latency-exemplars.ts';
import { sessionsOf, type SessionSample, type SessionSummary } from './viewer-sessions.ts';

type LatencySample = SeenFrame & { readonly kind: 'latency'; readonly of: 'glass' | 'ingest' };
type ReportSample = SessionSample & {
  readonly kind: 'report';
  readonly stalls: number;
  readonly joinMs: number | undefined;
  readonly stagesMs: ViewerReport['stagesMs'];
};
type DeliverySample = {
  readonly kind: 'delivery';
  readonly where: string;
  readonly viewers: number;
  readonly sentBytes: number;
  readonly droppedUnits: number;
};
export type ViewerSample = LatencySample | ReportSample | DeliverySample | Bookkeeping;

export type LatencyWindow = {
  readonly samples: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/** Median and 95th percentile of one stage, ms. */
export type StageWindow = { readonly p50: number; readonly p95: number };

export type ViewerWindow = {
  readonly latency: { readonly glass: LatencyWindow; readonly ingest: LatencyWindow };
  /** What players measured of each stage; those that no player tells are missing. */
  readonly stages: Readonly<Partial<Record<ViewerStage, StageWindow>>>;
  readonly exemplars: readonly Exemplar[];
  /** Sessions that reported, and what is typical of them. */
  readonly sessions: number;
  readonly sessionLatency: SessionSummary['latency'];
  readonly typicalRebufferRatio: number;
  readonly typicalDroppedShare: number;
  readonly typicalDecodeErrorShare: number;
  readonly avSkewMs: number | null;
  readonly clippedShare: number | null;
  /** Connected viewers by the server's own count, newest of every node. */
  readonly viewers: number;
  readonly painted: number;
  readonly dropped: number;
  readonly decodeErrors: number;
  readonly stalls: number;
  /** Stalled time over reported time, 0..1. */
  readonly rebufferRatio: number;
  readonly joinMsP95: number | null;
  readonly sentBytes: number;
  readonly droppedUnits: number;
  readonly complete: number;
};

/** One session says no more than this many samples per second. */
const MAX_SAMPLES_PER_SECOND = 20;
const MAX_PLACES = 256;
const MAX_LATENCY_MS = 600_000;
/** Nobody paints or drops more than this per second. */
const MAX_FRAMES_PER_SECOND = 240;

const round = (value: number | null, digits: number): number | null =>
  value === null ? null : Math.round(value * 10 ** digits) / 10 ** digits;
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function latencyWindow(of: 'glass' | 'ingest'): Aggregate<ViewerSample, unknown[], LatencyWindow> {
  const select = (sample: ViewerSample): number | undefined =>
    sample.kind === 'latency' && sample.of === of ? sample.ms : undefined;
  return mapResult(
    together({
      samples: over(select, countOf),
      percentiles: over(select, percentilesOf({ p50: 50, p95: 95, p99: 99 })),
    }),
    ({ samples, percentiles: { p50, p95, p99 } }) => ({
      samples,
      p50: round(p50, 1),
      p95: round(p95, 1),
      p99: round(p99, 1),
    }),
  );
}

function stageWindow(stage: ViewerStage): Aggregate<ViewerSample, unknown, StageWindow | null> {
  const select = (sample: ViewerSample): number | undefined =>
    sample.kind === 'report' ? sample.stagesMs?.[stage] : undefined;
  return mapResult(over(select, percentilesOf({ p50: 50, p95: 95 })), ({ p50, p95 }) =>
    p50 === null || p95 === null ? null : { p50: round(p50, 1) ?? 0, p95: round(p95, 1) ?? 0 },
  );
}

const stages = mapResult(
  together(
    Object.fromEntries(VIEWER_STAGES.map((stage) => [stage, stageWindow(stage)])) as Record<
      ViewerStage,
      ReturnType<typeof stageWindow>
    >,
  ),
  (byStage) =>
    Object.fromEntries(Object.entries(byStage).filter(([, seen]) => seen !== null)) as ViewerWindow['stages'],
);

type Counted = 'painted' | 'dropped' | 'decodeErrors' | 'stalls' | 'stalledMs' | 'intervalMs';
const reported = (field: Counted): Aggregate<ViewerSample, unknown, number> =>
  over((sample: ViewerSample) => (sample.kind === 'report' ? sample[field] : undefined), sumOf);
const delivered = (field: 'sentBytes' | 'droppedUnits'): Aggregate<ViewerSample, unknown, number> =>
  over((sample: ViewerSample) => (sample.kind === 'delivery' ? sample[field] : undefined), sumOf);

/** The aggregate of a stream's viewer windows. */
export const viewerReduce = mapResult(
  together({
    glass: latencyWindow('glass'),
    ingest: latencyWindow('ingest'),
    stages,
    exemplars: over((sample: ViewerSample) => {
      if (sample.kind !== 'latency') {
        return undefined;
      }
      const { ms, ptsMs, session, rendition } = sample;
      return { ms, ptsMs, session, rendition };
    }, exemplarsOf),
    typical: over((sample: ViewerSample) => (sample.kind === 'report' ? sample : undefined), sessionsOf),
    viewers: mapResult(
      over(
        (sample: ViewerSample) => (sample.kind === 'delivery' ? sample : undefined),
        grouped(
          (delivery: DeliverySample) => delivery.where,
          over((delivery: DeliverySample) => delivery.viewers, lastOf<number>()),
          MAX_PLACES,
        ),
      ),
      (places) => Object.values(places).reduce<number>((sum, viewers) => sum + (viewers ?? 0), 0),
    ),
    painted: reported('painted'),
    dropped: reported('dropped'),
    decodeErrors: reported('decodeErrors'),
    stalls: reported('stalls'),
    stalledMs: reported('stalledMs'),
    intervalMs: reported('intervalMs'),
    joinMs: over((sample: ViewerSample) => (sample.kind === 'report' ? sample.joinMs : undefined), percentileOf(95)),
    joinMax: over((sample: ViewerSample) => (sample.kind === 'report' ? sample.joinMs : undefined), maxOf),
    sentBytes: delivered('sentBytes'),
    droppedUnits: delivered('droppedUnits'),
    complete: completenessOf,
  }),
  (seen): ViewerWindow => ({
    latency: { glass: seen.glass, ingest: seen.ingest },
    stages: seen.stages,
    exemplars: seen.exemplars,
    sessions: seen.typical.sessions,
    sessionLatency: seen.typical.latency,
    typicalRebufferRatio: seen.typical.rebufferRatio,
    typicalDroppedShare: seen.typical.droppedShare,
    typicalDecodeErrorShare: seen.typical.decodeErrorShare,
    avSkewMs: seen.typical.avSkewMs,
    clippedShare: seen.typical.clippedShare,
    viewers: seen.viewers,
    painted: seen.painted,
    dropped: seen.dropped,
    decodeErrors: seen.decodeErrors,
    stalls: seen.stalls,
    rebufferRatio: seen.intervalMs > 0 ? (round(seen.stalledMs / seen.intervalMs, 4) ?? 0) : 0,
    joinMsP95: round(seen.joinMs, 0),
    sentBytes: seen.sentBytes,
    droppedUnits: seen.droppedUnits,
    complete: seen.complete,
  }),
) as Aggregate<ViewerSample, unknown, ViewerWindow>;

function emitReport(report: ViewerReport, at: number, emit: Emit<ViewerSample>): void {
  const { stream, session, rendition, ts, avSkewMs, clippedShare, stagesMs } = report;
  const intervalMs = clamp(report.intervalMs, 1, 60_000);
  const most = Math.ceil((intervalMs / 1000) * MAX_FRAMES_PER_SECOND);
  // Evenly from all samples, so that a report with many says no more than one with a few.
  const room = Math.max(1, Math.round((intervalMs / 1000) * MAX_SAMPLES_PER_SECOND));
  const step = Math.max(1, report.latencyMs.length / room);
  const frames: SeenFrame[] = [];
  for (let i = 0; i < report.latencyMs.length; i += step) {
    const index = Math.floor(i);
    const ms = clamp(report.latencyMs[index] ?? 0, 0, MAX_LATENCY_MS);
    frames.push({ ms, ptsMs: report.latencyPtsMs?.[index] ?? null, session, rendition });
  }
  const latencyMs = frames.length === 0 ? undefined : frames.reduce((sum, { ms }) => sum + ms, 0) / frames.length;
  const sample: ReportSample = {
    kind: 'report',
    session,
    intervalMs,
    painted: clamp(report.painted, 0, most),
    dropped: clamp(report.dropped, 0, most),
    decodeErrors: clamp(report.decodeErrors, 0, most),
    stalls: clamp(report.stalls, 0, 100),
    stalledMs: clamp(report.stalledMs, 0, intervalMs),
    joinMs: report.joinMs === undefined ? undefined : clamp(report.joinMs, 0, 60_000),
    latencyMs,
    avSkewMs,
    clippedShare,
    stagesMs,
  };
  emit(stream, sample, ts, at);
  for (const frame of frames) {
    emit(stream, { kind: 'latency', of: report.latencyKind, ...frame }, ts, at);
  }
}

/** Turns one event into samples; events that are not about viewers give none. */
export function mapViewer(event: EventRecord, emit: Emit<ViewerSample>): void {
  if (event.topic !== 'viewer') {
    return;
  }
  const { stream, ts, at } = event;
  if (event.type === 'viewer-report') {
    emit(stream, { kind: 'record' }, ts, at);
    emitReport(event, at, emit);
  } else if (event.type === 'delivery') {
    emit(stream, { kind: 'record' }, ts, at);
    const { viewers, sentBytes, droppedUnits, track, node } = event;
    emit(stream, { kind: 'delivery', where: `${node}/${track}`, viewers, sentBytes, droppedUnits }, ts, at);
  }
}
