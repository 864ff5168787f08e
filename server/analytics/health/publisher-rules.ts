// Rules about what the publisher sends: whether anything comes, how much, how regularly, and whether its clock can be right.

import type { IngestWindow } from '../jobs/ingest-job.ts';
import { isStill } from './picture-rules.ts';
import {
  above,
  isOurSource,
  isSilent,
  low,
  ofPublisher,
  publisherTrack,
  rounded,
  type Finding,
  type Rule,
} from './rule.ts';

const STARVED_MS = 2000;
const SHORT_WINDOW_MS = 4000;
const KEYFRAME_INTERVAL_MS = 4500;
const LOST_SHARE = 0.02;
const DRIFT_MS = 500;
const CLOCK_OFF_MS = 1000;
const MIN_FRAMES = 20;

function judgeClock(short: IngestWindow | null, ingest: IngestWindow | null): Finding | null {
  // A jump is a moment: the ten seconds around it show it. Wrong capture times go on until somebody sets the clock.
  const offMs = short?.captureOffMs ?? ingest?.timelineOffMs ?? null;
  return offMs === null
    ? null
    : { actual: offMs, expected: CLOCK_OFF_MS, isOver: Math.abs(offMs) > CLOCK_OFF_MS, isWell: false };
}

export const PUBLISHER_RULES: readonly Rule[] = [
  {
    type: 'starved',
    severity: 'critical',
    stage: 'publisher',
    advice: 'No media arrives. Check the publisher and its uplink.',
    opensAfter: 1,
    closesAfter: 2,
    judge: ({ short }) => {
      const track = publisherTrack(short);
      if (track !== null) {
        return above(track.silentMs, STARVED_MS);
      }
      // A window without one picture while the stream is live; audio alone is a stream, too.
      return short === null || Object.keys(short.tracks).length > 0
        ? null
        : { actual: SHORT_WINDOW_MS, expected: STARVED_MS, isOver: true, isWell: false };
    },
  },
  {
    type: 'bitrate-low',
    severity: 'warning',
    stage: 'publisher',
    advice: 'The publisher sends far less than it used to. Check its uplink or its bitrate setting.',
    opensAfter: 3,
    closesAfter: 4,
    judge: ofPublisher('short', (track, input) =>
      isSilent(track) || isOurSource(input.short) || isStill(track, input)
        ? null
        : low(track.bitrateKbps, input.baselines.bitrate, 0.65),
    ),
  },
  {
    type: 'fps-low',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Fewer frames arrive than usual. The publisher may be overloaded.',
    opensAfter: 3,
    closesAfter: 4,
    judge: ofPublisher('short', (track, { baselines }) =>
      isSilent(track) ? null : low(track.fps, baselines.fps, 0.8),
    ),
  },
  {
    type: 'frames-lost',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Frames are missing on the timeline: the publisher or its network drops them.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ofPublisher('short', ({ missingFrames, frames }) =>
      frames < MIN_FRAMES ? null : above(rounded(missingFrames / (frames + missingFrames), 3), LOST_SHARE),
    ),
  },
  {
    type: 'keyframe-interval-long',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Set the key-frame interval of the publisher to 2 s: viewers join and recover at key frames only.',
    opensAfter: 3,
    closesAfter: 3,
    judge: ({ ingest }) => {
      // Of raw pictures every one is a key: the interval is our encoder's.
      const track = isOurSource(ingest) ? null : publisherTrack(ingest);
      const intervalMs = track?.keyframeIntervalMs ?? null;
      return intervalMs === null ? null : above(intervalMs, KEYFRAME_INTERVAL_MS);
    },
  },
  {
    type: 'drift',
    severity: 'warning',
    stage: 'publisher',
    advice: 'Media time runs away from the clock: the timestamps of the publisher are wrong, or it cannot keep up.',
    opensAfter: 5,
    closesAfter: 5,
    judge: ofPublisher('ingest', (track) => (isSilent(track) ? null : above(Math.abs(track.driftMs), DRIFT_MS))),
  },
  {
    type: 'clock-wrong',
    severity: 'warning',
    stage: 'publisher',
    advice: "Set the publisher's clock: its timestamps cannot be right, so latency is counted from arrival only.",
    opensAfter: 1,
    closesAfter: 2,
    judge: ({ short, ingest }) => judgeClock(short, ingest),
  },
];
