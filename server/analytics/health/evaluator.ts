// One stream's health: takes its windows as they close, judges the rules with hysteresis, and says what the API shows. Incomplete
// numbers are `unknown`, never bad; an issue opens after some windows in a row and closes only well below its threshold.

import { NO_LATENCY, type HealthIssue, type HealthReport, type IssueType } from '../../read-models/health.ts';
import type { IngestWindow } from '../jobs/ingest-job.ts';
import type { ViewerWindow } from '../jobs/viewer-job.ts';
import type { WindowRecord } from '../partition-worker.ts';
import { Baseline } from './baseline.ts';
import { RULES, sourceTrack, type Finding, type Rule, type RuleInput } from './rules.ts';

type Timed<W> = W & WindowRecord;
type Progress = { over: number; well: number; issue: HealthIssue | null };

export type Evaluation =
  | {
      readonly kind: 'report';
      readonly report: HealthReport;
      readonly opened: HealthIssue[];
      readonly closed: HealthIssue[];
    }
  /** The publisher said goodbye. */
  | { readonly kind: 'ended' };

/** Below this share of arrived records the numbers are not believed. */
const COMPLETE = 0.98;
/** Viewer windows older than this against the ingest's are not shown, ms. */
const VIEWER_FRESH_MS = 5000;
const PENALTY = { critical: 60, warning: 20 } as const;

export class StreamHealth {
  private readonly stream: string;
  private ingest: Timed<IngestWindow> | null = null;
  private short: Timed<IngestWindow> | null = null;
  private viewer: Timed<ViewerWindow> | null = null;
  private readonly bitrate = new Baseline();
  private readonly fps = new Baseline();
  private readonly progress = new Map<IssueType, Progress>();

  constructor(stream: string) {
    this.stream = stream;
  }

  /** Takes a window; a report comes with every ten-second window of the ingest. */
  take(window: WindowRecord): Evaluation | null {
    if (window.job === 'viewer') {
      this.viewer = this.newer(this.viewer, window as Timed<ViewerWindow>);
      return null;
    }
    if (window.job === 'ingest-short') {
      this.short = this.newer(this.short, window as Timed<IngestWindow>);
      return null;
    }
    if (window.job !== 'ingest' || (this.ingest !== null && window.end <= this.ingest.end)) {
      return null; // another job's, or one that was appended twice
    }
    const ingest = window as Timed<IngestWindow>;
    this.ingest = ingest;
    return ingest.hasEnded ? { kind: 'ended' } : this.evaluate(ingest);
  }

  private newer<W extends WindowRecord>(kept: W | null, window: W): W {
    return kept === null || window.end > kept.end ? window : kept;
  }

  private evaluate(ingest: Timed<IngestWindow>): Evaluation {
    const { end } = ingest;
    const viewer = this.viewer !== null && end - this.viewer.end <= VIEWER_FRESH_MS ? this.viewer : null;
    const short = this.short !== null && Math.abs(end - this.short.end) <= 2000 ? this.short : null;
    const input: RuleInput = { ingest, short, viewer, bitrate: this.bitrate, fps: this.fps };
    const opened: HealthIssue[] = [];
    const closed: HealthIssue[] = [];
    const complete = Math.min(ingest.complete, viewer?.complete ?? 1);
    if (complete >= COMPLETE) {
      for (const rule of RULES) {
        this.judge(rule, input, end, opened, closed);
      }
      this.learn(short);
    }
    return { kind: 'report', report: this.report(ingest, viewer, complete), opened, closed };
  }

  private judge(rule: Rule, input: RuleInput, end: number, opened: HealthIssue[], closed: HealthIssue[]): void {
    const progress = this.progress.get(rule.type) ?? { over: 0, well: 0, issue: null };
    this.progress.set(rule.type, progress);
    const finding = rule.judge(input);
    progress.over = finding?.isOver === true ? progress.over + 1 : 0;
    progress.well = finding === null || finding.isWell ? progress.well + 1 : 0;
    if (progress.issue === null) {
      if (finding !== null && progress.over >= rule.opensAfter) {
        progress.issue = this.issueOf(rule, finding, end);
        opened.push(progress.issue);
      }
      return;
    }
    if (progress.well >= rule.closesAfter) {
      closed.push(progress.issue);
      progress.issue = null;
    } else if (finding !== null) {
      progress.issue = this.issueOf(rule, finding, progress.issue.since);
    }
  }

  private issueOf(rule: Rule, { actual, expected }: Finding, since: number): HealthIssue {
    const { type, severity, stage, advice } = rule;
    return { type, severity, stage, actual, expected, advice, since };
  }

  private get issues(): HealthIssue[] {
    return RULES.flatMap(({ type }) => this.progress.get(type)?.issue ?? []);
  }

  /** The baseline learns only from a healthy feed. */
  private learn(short: Timed<IngestWindow> | null): void {
    const track = sourceTrack(short);
    const isHealthy = this.issues.every(({ stage }) => stage !== 'publisher');
    if (track !== null && isHealthy && track.silentMs < 1000 && track.frames > 0) {
      this.bitrate.learn(track.bitrateKbps);
      this.fps.learn(track.fps);
    }
  }

  private report(ingest: Timed<IngestWindow>, viewer: Timed<ViewerWindow> | null, complete: number): HealthReport {
    const track = sourceTrack(ingest);
    const { issues } = this;
    const isKnown = complete >= COMPLETE;
    const score = Math.max(0, 100 - issues.reduce((sum, { severity }) => sum + PENALTY[severity], 0));
    return {
      stream: this.stream,
      status: isKnown ? statusOf(issues) : 'unknown',
      score: isKnown ? score : null,
      complete,
      windowStart: ingest.start,
      windowEnd: ingest.end,
      bitrateKbps: track?.bitrateKbps ?? null,
      fps: track?.fps ?? null,
      keyframeIntervalMs: track?.keyframeIntervalMs ?? null,
      latencyMs: latencyOf(viewer),
      issues,
    };
  }
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
