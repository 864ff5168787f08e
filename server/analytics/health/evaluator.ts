// One stream's health: takes its windows as they close, judges the rules with hysteresis, and says what the API shows. Incomplete
// numbers are `unknown`, never bad.

import { NO_LATENCY, type EndedIssue, type HealthIssue, type HealthReport } from '../../read-models/health.ts';
import type { DataWindow } from '../jobs/data-job.ts';
import { INGEST_STAGES, type IngestWindow } from '../jobs/ingest-job.ts';
import type { ViewerWindow } from '../jobs/viewer-job.ts';
import { VIEWER_STAGES } from '../../../shared/telemetry/events.ts';
import type { WindowRecord } from '../partition-worker.ts';
import { StreamBaselines } from './baseline.ts';
import { DataHealth, type DataRule } from './data-health.ts';
import { IssueBook, type Changes } from './issue-book.ts';
import { publisherTrack, sourceTrack, type Objectives, type RuleInput } from './rule.ts';
import { RULES } from './rules.ts';

type Timed<W> = W & WindowRecord;

export type HealthSettings = { readonly objectives: Objectives; readonly dataRules: readonly DataRule[] };

export type Evaluation =
  | {
      readonly kind: 'report';
      readonly report: HealthReport;
      readonly opened: readonly HealthIssue[];
      readonly closed: readonly EndedIssue[];
    }
  /** The publisher said goodbye. */
  | { readonly kind: 'ended' };

/** Below this share of arrived records the numbers are not believed. */
const COMPLETE = 0.98;
/** Viewer windows older than this against the ingest's are not shown, ms. */
const VIEWER_FRESH_MS = 5000;
/** Without media for this long, the windows of other sources speak for the stream alone, ms. */
const MEDIA_FRESH_MS = 5000;
const PENALTY = { critical: 60, warning: 20 } as const;

const DEFAULT_HEALTH: HealthSettings = { objectives: { latencyMs: 3000 }, dataRules: [] };

export class StreamHealth {
  private readonly stream: string;
  private readonly settings: HealthSettings;
  private readonly book = new IssueBook();
  private readonly baselines = new StreamBaselines();
  private readonly devices: DataHealth;
  private ingest: Timed<IngestWindow> | null = null;
  private short: Timed<IngestWindow> | null = null;
  private viewer: Timed<ViewerWindow> | null = null;
  private dataEnd = -Infinity;
  /** Changes that data windows made, told with the next report. */
  private changes: Changes = { opened: [], closed: [] };

  constructor(stream: string, settings: HealthSettings = DEFAULT_HEALTH) {
    this.stream = stream;
    this.settings = settings;
    this.devices = new DataHealth(stream, settings.dataRules);
  }

  /** Takes a window; a report comes with every ten-second window of the ingest, and without media with every data window. */
  take(window: WindowRecord): Evaluation | null {
    switch (window.job) {
      case 'viewer':
        this.viewer = newer(this.viewer, window as Timed<ViewerWindow>);
        return null;
      case 'ingest-short':
        this.short = newer(this.short, window as Timed<IngestWindow>);
        return null;
      case 'data':
        return this.takeData(window as Timed<DataWindow>);
      case 'ingest':
        return this.takeIngest(window as Timed<IngestWindow>);
      default:
        return null; // a job of somebody else
    }
  }

  private takeIngest(ingest: Timed<IngestWindow>): Evaluation | null {
    if (this.ingest !== null && ingest.end <= this.ingest.end) {
      return null; // appended twice
    }
    this.ingest = ingest;
    return ingest.hasEnded ? { kind: 'ended' } : this.evaluate(ingest);
  }

  private takeData(data: Timed<DataWindow>): Evaluation | null {
    if (data.end <= this.dataEnd) {
      return null;
    }
    this.dataEnd = data.end;
    if (data.complete >= COMPLETE) {
      const { judged, forgotten } = this.devices.take(data, data.end);
      for (const { terms, finding } of judged) {
        this.book.judge(terms, finding, data.end, this.changes);
      }
      for (const key of forgotten) {
        this.book.forget(key, data.end, this.changes);
      }
    }
    const hasMedia = this.ingest !== null && data.end - this.ingest.end < MEDIA_FRESH_MS;
    return hasMedia ? null : this.tell(this.dataReport(data));
  }

  private evaluate(ingest: Timed<IngestWindow>): Evaluation {
    const { end } = ingest;
    const viewer = this.viewer !== null && end - this.viewer.end <= VIEWER_FRESH_MS ? this.viewer : null;
    const short = this.short !== null && Math.abs(end - this.short.end) <= 2000 ? this.short : null;
    const { baselines, settings } = this;
    const input: RuleInput = { ingest, short, viewer, baselines, objectives: settings.objectives };
    const complete = Math.min(ingest.complete, viewer?.complete ?? 1);
    if (complete >= COMPLETE) {
      for (const rule of RULES) {
        this.book.judge(rule, rule.judge(input), end, this.changes);
      }
      this.learn(input);
    }
    return this.tell(this.report(ingest, viewer, complete));
  }

  private tell(report: HealthReport): Evaluation {
    const { opened, closed } = this.changes;
    this.changes = { opened: [], closed: [] };
    return { kind: 'report', report, opened, closed };
  }

  /** The baselines learn only from a healthy feed. */
  private learn({ short, viewer }: RuleInput): void {
    const track = publisherTrack(short);
    const isHealthy = this.book.open.every(({ stage }) => stage !== 'publisher');
    if (track !== null && isHealthy && track.silentMs < 1000 && track.frames > 0) {
      this.baselines.bitrate.learn(track.bitrateKbps);
      this.baselines.fps.learn(track.fps);
      if (track.deltaBytesP50 !== null) {
        this.baselines.deltaBytes.learn(track.deltaBytesP50);
      }
    }
    const latencyMs = viewer?.sessionLatency?.p50;
    if (latencyMs !== undefined && this.book.open.every(({ type }) => type !== 'latency-high')) {
      this.baselines.latencyMs.learn(latencyMs);
    }
  }

  private report(ingest: Timed<IngestWindow>, viewer: Timed<ViewerWindow> | null, complete: number): HealthReport {
    const track = sourceTrack(ingest);
    return {
      ...this.verdict(complete),
      windowStart: ingest.start,
      windowEnd: ingest.end,
      bitrateKbps: track?.bitrateKbps ?? null,
      fps: track?.fps ?? null,
      keyframeIntervalMs: track?.keyframeIntervalMs ?? null,
      latencyMs: latencyOf(viewer),
      stages: stagesOf(ingest, viewer),
      exemplars: [...(viewer?.exemplars ?? [])],
    };
  }

  private dataReport(data: Timed<DataWindow>): HealthReport {
    return {
      ...this.verdict(data.complete),
      windowStart: data.start,
      windowEnd: data.end,
      everyMs: data.end - data.start,
      bitrateKbps: null,
      fps: null,
      keyframeIntervalMs: null,
      latencyMs: NO_LATENCY,
      stages: [],
      exemplars: [],
    };
  }

  private verdict(
    complete: number,
  ): Pick<HealthReport, 'stream' | 'status' | 'score' | 'complete' | 'issues' | 'recent'> {
    const issues = this.book.open.sort((a, b) => PENALTY[b.severity] - PENALTY[a.severity]);
    const isKnown = complete >= COMPLETE;
    const score = Math.max(0, 100 - issues.reduce((sum, { severity }) => sum + PENALTY[severity], 0));
    return {
      stream: this.stream,
      status: isKnown ? statusOf(issues) : 'unknown',
      score: isKnown ? score : null,
      complete,
      issues,
      recent: [...this.book.recent],
    };
  }
}

function newer<W extends WindowRecord>(kept: W | null, window: W): W {
  return kept === null || window.end > kept.end ? window : kept;
}

function statusOf(issues: readonly HealthIssue[]): HealthReport['status'] {
  return issues.some(({ severity }) => severity === 'critical') ? 'bad' : issues.length > 0 ? 'ok' : 'good';
}

/** Glass to glass where any viewer can measure it, else from ingest. */
function latencyOf(viewer: ViewerWindow | null): HealthReport['latencyMs'] {
  for (const kind of ['glass', 'ingest'] as const) {
    const latency = viewer?.latency[kind];
    if (latency !== undefined && latency.samples > 0) {
      return { kind, p50: latency.p50, p95: latency.p95, p99: latency.p99 };
    }
  }
  return NO_LATENCY;
}

/** The way of a picture: to the server, through the transcoder (the busiest rendition), to the viewers. */
function stagesOf(ingest: IngestWindow, viewer: ViewerWindow | null): HealthReport['stages'] {
  const tracks = Object.values(ingest.tracks);
  const server = INGEST_STAGES.flatMap((stage) => {
    const seen = tracks.flatMap((track) => track.stages[stage] ?? []);
    const slowest = seen.sort((a, b) => b.p95 - a.p95).at(0);
    return slowest === undefined ? [] : [{ stage, ...slowest }];
  });
  const player = VIEWER_STAGES.flatMap((stage) => {
    const seen = viewer?.stages[stage];
    return seen === undefined ? [] : [{ stage: `player-${stage}`, ...seen }];
  });
  return [...server, ...player];
}
