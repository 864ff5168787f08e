// Rules about what happens behind the publisher: our encoder, the way to the viewers, and what they see.

import { above, isOurSource, rounded, type Finding, type Rule, type RuleInput } from './rule.ts';

/** Encoding may take this share of the time between two frames. */
const ENCODER_LOAD = 0.8;
const LATE_SHARE = 0.05;
/** Latency this far above the usual is an issue below the objective, too. */
const LATENCY_SHARE = 2.5;
const LATENCY_STEP_MS = 500;
/** From this many viewers on a share of them counts; of fewer, one bad network is no issue of the stream. */
const MANY = 20;
const MIN_PICTURES = 20;

function judgeEncoder({ short, ingest }: RuleInput): Finding | null {
  const tracks = Object.entries(short?.tracks ?? {}).flatMap(([name, track]) =>
    track.encodeMsP95 !== null || (name === 'source' && isOurSource(short)) ? [track] : [],
  );
  const made = tracks.reduce((sum, { frames }) => sum + frames, 0);
  const late = short?.latePictures ?? 0;
  const lateShare = late === 0 ? 0 : rounded(late / (late + made), 3);
  if (lateShare > LATE_SHARE) {
    return above(lateShare, LATE_SHARE);
  }
  const loads = Object.values(ingest?.tracks ?? {}).flatMap(({ encodeMsP95, frameIntervalMs }) =>
    encodeMsP95 === null || frameIntervalMs === null || frameIntervalMs <= 0 ? [] : [encodeMsP95 / frameIntervalMs],
  );
  return loads.length === 0 ? null : above(rounded(Math.max(...loads), 2), ENCODER_LOAD);
}

/** The middle viewer; with many viewers the slowest twentieth. A single one never speaks for three or more. */
function judgeLatency({ viewer, objectives, baselines }: RuleInput): Finding | null {
  const sessions = viewer?.sessionLatency ?? null;
  if (sessions === null) {
    return null;
  }
  const actual = sessions.count >= MANY ? sessions.p95 : sessions.p50;
  const found = above(actual, objectives.latencyMs);
  const { usual } = baselines.latencyMs;
  const isUnusual =
    usual !== null && baselines.latencyMs.isHigh(sessions.p50, LATENCY_SHARE) && sessions.p50 > usual + LATENCY_STEP_MS;
  return isUnusual && !found.isOver
    ? { actual: sessions.p50, expected: Math.round(usual * LATENCY_SHARE), isOver: true, isWell: false }
    : found;
}

export const DELIVERY_RULES: readonly Rule[] = [
  {
    type: 'encoder-overloaded',
    severity: 'warning',
    stage: 'encoder',
    advice: 'The encoder cannot keep up. Use a smaller rendition, more cores, or fewer streams on this machine.',
    opensAfter: 2,
    closesAfter: 5,
    judge: judgeEncoder,
  },
  {
    type: 'latency-high',
    severity: 'warning',
    stage: 'delivery',
    advice: 'Viewers are behind. Lower the bitrate, or look for a slow network between server and viewers.',
    opensAfter: 3,
    closesAfter: 5,
    judge: judgeLatency,
  },
  {
    type: 'rebuffering',
    severity: 'warning',
    stage: 'viewer',
    advice: 'Viewers stall. Offer a smaller rendition, or look at the network of the viewers.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ viewer }) =>
      viewer === null || viewer.sessions === 0
        ? null
        : above(viewer.typicalRebufferRatio, viewer.sessions >= MANY ? 0.01 : 0.1),
  },
  {
    type: 'decode-errors',
    severity: 'warning',
    stage: 'viewer',
    advice: 'Pictures cannot be decoded. The bitstream of the publisher may be damaged.',
    opensAfter: 2,
    closesAfter: 5,
    judge: ({ viewer }) =>
      viewer === null || viewer.painted + viewer.decodeErrors < MIN_PICTURES
        ? null
        : above(viewer.typicalDecodeErrorShare, 0.005),
  },
  {
    type: 'viewers-skipping',
    severity: 'warning',
    stage: 'delivery',
    advice: 'Slow viewers are skipped ahead. Offer a smaller rendition.',
    opensAfter: 3,
    closesAfter: 5,
    judge: ({ viewer }) =>
      viewer === null || viewer.painted + viewer.dropped < MIN_PICTURES
        ? null
        : above(viewer.typicalDroppedShare, 0.05),
  },
];
