// The health rules: what is measured in a window, against what, whose fault it is and what helps. Thresholds are fixed or the stream's
// own baseline; when an issue opens and closes is the evaluator's matter.

import type { IssueType, HealthIssue } from '../../read-models/health.ts';
import type { IngestWindow, TrackWindow } from '../jobs/ingest-job.ts';
import type { ViewerWindow } from '../jobs/viewer-job.ts';
import type { Baseline } from './baseline.ts';

export type RuleInput = {
  /** Ten seconds; null before the first. */
  readonly ingest: IngestWindow | null;
  /** Four seconds. */
  readonly short: IngestWindow | null;
  readonly viewer: ViewerWindow | null;
  readonly bitrate: Baseline;
  readonly fps: Baseline;
};

/** What a rule found: over its threshold or not, and by how much it would have to fall to be well again. */
export type Finding = {
  readonly actual: number;
  readonly expected: number;
  readonly isOver: boolean;
  /** Well below the threshold: an open issue may close. */
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

const OBJECTIVE_LATENCY_MS = 3000;
const KEYFRAME_INTERVAL_MS = 4500;
/** An issue may close at this share of its threshold. */
const WELL = 0.8;

/** The publisher's picture: the track that viewers start from. */
export function sourceTrack(window: IngestWindow | null): TrackWindow | null {
  const tracks = window?.tracks ?? {};
  return tracks['source'] ?? tracks['video'] ?? null;
}

const above = (actual: number, expected: number): Finding => ({
  actual,
  expected,
  isOver: actual > expected,
  isWell: actual <= expected * WELL,
});

function low(actual: number, baseline: Baseline, share: number): Finding | null {
  const { usual } = baseline;
  return usual === null
    ? null
    : {
        actual,
        expected: Math.round(usual * 10) / 10,
        isOver: baseline.isLow(actual, share),
        isWell: actual >= usual * (share + (1 - share) / 2),
      };
}

const source =
  (pick: 'ingest' | 'short', judge: (track: TrackWindow, input: RuleInput) => Finding | null) =>
  (input: RuleInput): Finding | null => {
    const track = sourceTrack(input[pick]);
    return track === null ? null : judge(track, input);
  };

const isSilent = (track: TrackWindow): boolean => track.silentMs > 1500;

/** Every rule, the gravest first. */
export const RULES: readonly Rule[] = [
  {
    type: 'starved',
    severity: 'critical',
    stage: 'publisher',
    advice: 'No media arrives. Check the publisher and its uplink.',
    opensAfter: 1,
    closesAfter: 2,
    judge: (input) => {
      const track = sourceTrack(input.short);
      if (track === null) {
        // A window without one frame while the stream is live.
        return input.short === null ? null : { actual: 4000, expected: 2000, isOver: true, isWell: false };
      }
      return above(track.silentMs, 2000);
    },
  },
  {
    type: 'bitrate-low',
    severity: 'warning',
    stage: 'publisher',
    advice: 'The publisher sends far less than it used to. Check its uplink or its bitrate setting.',
    opensAfter: 2,
    closesAfter: 4,
    judge: source('short', (track, { bitrate }) => (isSilent(track) ? null : low(track.bitrateKbps, bitrate, 0.65))),
  },
  {
    type: 'fps-low',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Fewer frames arrive than usual. The publisher may be overloaded.',
    opensAfter: 3,
    closesAfter: 4,
    judge: source('short', (track, { fps }) => (isSilent(track) ? null : low(track.fps, fps, 0.8))),
  },
  {
    type: 'frames-lost',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Frames are missing on the timeline: the publisher or its network drops them.',
    opensAfter: 3,
    closesAfter: 5,
    judge: source('short', ({ missingFrames, frames }) =>
      frames < 20 ? null : above(Math.round((missingFrames / (frames + missingFrames)) * 1000) / 1000, 0.02),
    ),
  },
  {
    type: 'keyframe-interval-long',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Set the key-frame interval of the publisher to 2 s: viewers join and recover at key frames only.',
    opensAfter: 3,
    closesAfter: 3,
    judge: source('ingest', ({ keyframeIntervalMs }) =>
      keyframeIntervalMs === null ? null : above(keyframeIntervalMs, KEYFRAME_INTERVAL_MS),
    ),
  },
  {
    type: 'drift',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Media time runs away from the clock: the timestamps of the publisher are wrong, or it cannot keep up.',
    opensAfter: 5,
    closesAfter: 5,
    judge: source('ingest', (track) => (isSilent(track) ? null : above(Math.abs(track.driftMs), 500))),
  },
  {
    type: 'encoder-overloaded',
    severity: 'warning',
    stage: 'encoder',
    advice: 'Encoding takes most of a frame time. Use a faster preset, a smaller rendition, or more cores.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ ingest }) => {
      const loads = Object.values(ingest?.tracks ?? {}).flatMap(({ encodeMsP95, frameIntervalMs }) =>
        encodeMsP95 === null || frameIntervalMs === null || frameIntervalMs <= 0 ? [] : [encodeMsP95 / frameIntervalMs],
      );
      return loads.length === 0 ? null : above(Math.round(Math.max(...loads) * 100) / 100, 0.8);
    },
  },
  {
    type: 'latency-high',
    severity: 'warning',
    stage: 'delivery',
    advice: 'Viewers are behind. Lower the bitrate, or look for a slow network between server and viewers.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ viewer }) => {
      const { glass, ingest } = viewer?.latency ?? { glass: null, ingest: null };
      const p95 = glass?.p95 ?? ingest?.p95 ?? null;
      return p95 === null ? null : above(p95, OBJECTIVE_LATENCY_MS);
    },
  },
  {
    type: 'rebuffering',
    severity: 'warning',
    stage: 'viewer',
    advice: 'Viewers stall. Offer a smaller rendition, or look at the network of the viewers.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ viewer }) =>
      // Of a few viewers one bad network is no issue of the stream.
      viewer === null || viewer.sessions === 0 ? null : above(viewer.rebufferRatio, viewer.sessions >= 20 ? 0.01 : 0.1),
  },
  {
    type: 'decode-errors',
    severity: 'warning',
    stage: 'viewer',
    advice: 'Pictures cannot be decoded. The bitstream of the publisher may be damaged.',
    opensAfter: 2,
    closesAfter: 5,
    judge: ({ viewer }) =>
      viewer === null || viewer.painted + viewer.decodeErrors < 20
        ? null
        : above(Math.round((viewer.decodeErrors / (viewer.painted + viewer.decodeErrors)) * 10_000) / 10_000, 0.005),
  },
  {
    type: 'viewers-skipping',
    severity: 'warning',
    stage: 'delivery',
    advice: 'Slow viewers are skipped ahead. Offer a smaller rendition.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ viewer }) =>
      viewer === null || viewer.painted + viewer.dropped < 20
        ? null
        : above(Math.round((viewer.dropped / (viewer.painted + viewer.dropped)) * 1000) / 1000, 0.05),
  },
];
