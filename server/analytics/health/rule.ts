// What a health rule is: it looks at the newest windows of a stream and finds a number, what it should be, and whether it is over its
// threshold. When an issue opens and closes is the evaluator's matter. docs/operations/health.md describes every rule for operators.

import type { HealthIssue, IssueType } from '../../read-models/health.ts';
import type { IngestWindow, TrackWindow } from '../jobs/ingest-job.ts';
import type { ViewerWindow } from '../jobs/viewer-job.ts';
import type { Baseline, StreamBaselines } from './baseline.ts';

/** What the operator promised: config `health`. */
export type Objectives = { readonly latencyMs: number };

export type RuleInput = {
  /** Ten seconds; null before the first. */
  readonly ingest: IngestWindow | null;
  /** Four seconds. */
  readonly short: IngestWindow | null;
  readonly viewer: ViewerWindow | null;
  readonly baselines: StreamBaselines;
  readonly objectives: Objectives;
};

/** What a rule found: over its threshold or not, and whether an open issue may close. */
export type Finding = {
  readonly actual: number;
  readonly expected: number;
  readonly isOver: boolean;
  /** Well on the good side of the threshold. */
  readonly isWell: boolean;
};

export type Rule = Pick<HealthIssue, 'severity' | 'stage' | 'advice'> & {
  readonly type: IssueType;
  /** Windows in a row, one per second, before the issue opens and closes. */
  readonly opensAfter: number;
  readonly closesAfter: number;
  /** null: nothing to judge in this window. */
  readonly judge: (input: RuleInput) => Finding | null;
};

/** An issue may close at this share of its threshold. */
const WELL = 0.8;
/** A track that says nothing for this long is the matter of `starved` alone, ms. */
const SILENT_MS = 1500;

/** The publisher's picture as viewers start from it: the source track. */
export function sourceTrack(window: IngestWindow | null): TrackWindow | null {
  const tracks = window?.tracks ?? {};
  return tracks['source'] ?? tracks['video'] ?? null;
}

/** What the publisher itself sends: its raw pictures where our encoder makes the source track of them. */
export function publisherTrack(window: IngestWindow | null): TrackWindow | null {
  return window?.tracks['raw'] ?? sourceTrack(window);
}

/** Whether the source track is made by our encoder: what it lacks is not the publisher's fault. */
export function isOurSource(window: IngestWindow | null): boolean {
  return window?.tracks['raw'] !== undefined;
}

export const isSilent = (track: TrackWindow): boolean => track.silentMs > SILENT_MS;

export const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** Over a fixed threshold, well at four fifths of it. */
export const above = (actual: number, expected: number): Finding => ({
  actual,
  expected,
  isOver: actual > expected,
  isWell: actual <= expected * WELL,
});

/** Below a share of what is usual for the stream. */
export function low(actual: number, baseline: Baseline, share: number): Finding | null {
  const { usual } = baseline;
  return usual === null
    ? null
    : {
        actual,
        expected: rounded(usual, 1),
        isOver: baseline.isLow(actual, share),
        isWell: actual >= usual * (share + (1 - share) / 2),
      };
}

/** Judges the publisher's track of one of the windows; nothing to judge where there is none. */
export const ofPublisher =
  (pick: 'ingest' | 'short', judge: (track: TrackWindow, input: RuleInput) => Finding | null) =>
  (input: RuleInput): Finding | null => {
    const track = publisherTrack(input[pick]);
    return track === null ? null : judge(track, input);
  };
