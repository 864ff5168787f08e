// A viewer's report, clamped: reports are untrusted, and one viewer must not be able to bend a stream's numbers.

import type { FromViewer } from '../../shared/protocol/viewer-requests.ts';
import type { ViewerReport } from '../../shared/telemetry/events.ts';

type Report = Extract<FromViewer, { type: 'report' }>;

const MAX_INTERVAL_MS = 30_000;
const MAX_FPS = 240;
const MAX_MS = 600_000;
const MAX_SAMPLES = 64;
const MAX_SKEW_MS = 10_000;
/** Reports bunch up on the way. */
const INTERVAL_SLACK_MS = 500;
/** Clocks are synchronised to a few milliseconds: a picture is never seen long before it was taken. */
const MIN_LATENCY_MS = -50;

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** The event that is stored: the server's time, stream, session and rendition; the viewer's numbers within what is possible. */
export function clampReport(
  report: Report,
  known: {
    readonly stream: string;
    readonly session: string;
    readonly rendition: string;
    readonly epochMs: number;
    /** Since this viewer's last report, or since it came: a report counts for no longer than that. */
    readonly sinceLastMs: number;
  },
): ViewerReport {
  const intervalMs = within(report.intervalMs, 1, Math.min(MAX_INTERVAL_MS, known.sinceLastMs + INTERVAL_SLACK_MS));
  const { avSkewMs, stagesMs, latencyPtsMs, clippedShare } = report;
  const frames = (count: number): number => Math.min(count, Math.ceil((intervalMs / 1000) * MAX_FPS));
  return {
    type: 'viewer-report',
    topic: 'viewer',
    stream: known.stream,
    ts: Math.round(known.epochMs),
    session: known.session,
    rendition: known.rendition,
    intervalMs,
    painted: frames(report.painted),
    dropped: frames(report.dropped),
    decodeErrors: frames(report.decodeErrors),
    stalls: frames(report.stalls),
    stalledMs: within(report.stalledMs, 0, intervalMs),
    bufferMs: within(report.bufferMs, 0, MAX_MS),
    latencyKind: report.latencyKind,
    latencyMs: report.latencyMs.slice(0, MAX_SAMPLES).map((value) => within(value, MIN_LATENCY_MS, MAX_MS)),
    ...(latencyPtsMs?.length === report.latencyMs.length ? { latencyPtsMs: latencyPtsMs.slice(0, MAX_SAMPLES) } : {}),
    ...(stagesMs === undefined ? {} : { stagesMs: clampStages(stagesMs) }),
    ...(report.joinMs === undefined ? {} : { joinMs: within(report.joinMs, 0, MAX_MS) }),
    ...(avSkewMs === undefined ? {} : { avSkewMs: within(avSkewMs, -MAX_SKEW_MS, MAX_SKEW_MS) }),
    ...(clippedShare === undefined ? {} : { clippedShare }),
  };
}

function clampStages(stagesMs: NonNullable<ViewerReport['stagesMs']>): NonNullable<ViewerReport['stagesMs']> {
  return Object.fromEntries(Object.entries(stagesMs).map(([stage, ms]) => [stage, within(ms, 0, MAX_MS)]));
}

/** How far the network is behind, ms: the median latency without what the player buffers on purpose. Null without samples. */
export function networkLagMs(report: Report): number | null {
  const sorted = [...report.latencyMs].sort((one, other) => one - other);
  const median = sorted[sorted.length >> 1];
  return median === undefined ? null : Math.max(0, median - report.bufferMs);
}
