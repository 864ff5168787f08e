// Rules about what is seen and heard: frozen and black pictures, silence, clipping, sound that does not fit the picture.

import type { PictureWindow, TrackWindow } from '../jobs/ingest-job.ts';
import { above, isSilent, publisherTrack, rounded, type Finding, type Rule, type RuleInput } from './rule.ts';

/** Share of the picture that moves even when it is the same picture, coded again. */
const STILL = 0.001;
/** A still picture costs less than this share of the usual bytes per frame. */
const STILL_BYTES_SHARE = 0.05;
/** Comparisons must cover this much time of the stream, ms. */
const COMPARED_MS = 3000;
const BLACK = { luma: 28, spread: 5 } as const;
const MIN_FRAMES = 20;
const SILENT_SHARE = 0.98;
const SKEW_MS = 300;
const CLIPPED_SHARE = 0.01;

/** The pictures of four seconds, or of ten where key frames are rare. */
function pictureOf({ short, ingest }: RuleInput, isEnough: (picture: PictureWindow) => boolean): PictureWindow | null {
  for (const window of [short, ingest]) {
    const picture = window?.picture ?? null;
    if (picture !== null && isEnough(picture)) {
      return picture;
    }
  }
  return null;
}

const isBlack = ({ lumaMax, spreadMax }: PictureWindow): boolean => lumaMax < BLACK.luma && spreadMax < BLACK.spread;

/** Bytes per frame against the usual: next to nothing means that nothing moves. Null while nothing is known. */
function byteShare(bytes: number | null, { frames }: TrackWindow, { baselines }: RuleInput): number | null {
  const { usual } = baselines.deltaBytes;
  return usual === null || usual <= 0 || bytes === null || frames < MIN_FRAMES ? null : rounded(bytes / usual, 4);
}

/** The picture stands still, or begins to: that it costs less is no sign of a bad uplink. */
export function isStill(track: TrackWindow, input: RuleInput): boolean {
  const moved = input.short?.picture?.movedMin ?? null;
  if (moved !== null && moved <= STILL) {
    return true;
  }
  const share = byteShare(track.deltaBytesP50, track, input);
  return share !== null && share < STILL_BYTES_SHARE;
}

function judgeFrozen(input: RuleInput): Finding | null {
  const track = publisherTrack(input.short);
  if (track === null || isSilent(track)) {
    return null;
  }
  if ((input.short?.picture?.lumaMin ?? Infinity) < BLACK.luma) {
    return null; // black, or about to be found so, says more
  }
  const picture = pictureOf(input, ({ movedMax, comparedMs }) => movedMax !== null && comparedMs >= COMPARED_MS);
  const moved = picture?.movedMax ?? null;
  if (moved !== null && moved <= STILL) {
    return { actual: moved, expected: STILL, isOver: true, isWell: false };
  }
  const share = byteShare(track.deltaBytesP95, track, input);
  if (share !== null && share < STILL_BYTES_SHARE) {
    return { actual: share, expected: STILL_BYTES_SHARE, isOver: true, isWell: false };
  }
  return moved === null ? null : { actual: moved, expected: STILL, isOver: false, isWell: true };
}

function judgeBlack(input: RuleInput): Finding | null {
  const track = publisherTrack(input.short);
  const picture = pictureOf(input, ({ pictures }) => pictures >= 2);
  if (track === null || isSilent(track) || picture === null) {
    return null;
  }
  const { lumaMax } = picture;
  return { actual: lumaMax, expected: BLACK.luma, isOver: isBlack(picture), isWell: !isBlack(picture) };
}

/** The publisher's audio tracks of the short window. */
function audioTracks({ short }: RuleInput): readonly TrackWindow[] {
  return Object.entries(short?.tracks ?? {}).flatMap(([name, track]) => (name.startsWith('audio') ? [track] : []));
}

function judgeSilence(input: RuleInput): Finding | null {
  const shares = audioTracks(input).flatMap(({ silentShare, frames, silentMs }) =>
    silentShare === null || frames < MIN_FRAMES || silentMs > COMPARED_MS ? [] : [silentShare],
  );
  return shares.length === 0 ? null : above(Math.min(...shares), SILENT_SHARE);
}

function judgeSkew(input: RuleInput): Finding | null {
  const skews: number[] = [];
  const video = publisherTrack(input.ingest);
  const audio = input.ingest?.tracks['audio'];
  if (video !== null && audio !== undefined && !isSilent(video) && !isSilent(audio)) {
    skews.push(Math.abs(audio.leadMs - video.leadMs));
  }
  const { avSkewMs } = input.viewer ?? { avSkewMs: null };
  if (avSkewMs !== null) {
    skews.push(Math.abs(avSkewMs));
  }
  return skews.length === 0 ? null : above(Math.round(Math.max(...skews)), SKEW_MS);
}

export const PICTURE_RULES: readonly Rule[] = [
  {
    type: 'black-picture',
    severity: 'critical',
    stage: 'publisher',
    advice: 'The picture is black. Check the camera, its cover, and the scene that the publisher has chosen.',
    opensAfter: 2,
    closesAfter: 2,
    judge: judgeBlack,
  },
  {
    type: 'frozen-picture',
    severity: 'warning',
    stage: 'publisher',
    advice: 'The picture stands still. Check the camera and the capture card; of a slide show this is to be expected.',
    opensAfter: 1, // what it looks at covers at least three seconds
    closesAfter: 2,
    judge: judgeFrozen,
  },
  {
    type: 'silence',
    severity: 'warning',
    stage: 'publisher',
    advice:
      'The sound is digital silence. Check the microphone, its mute switch, and the audio source of the publisher.',
    opensAfter: 3,
    closesAfter: 2,
    judge: judgeSilence,
  },
  {
    type: 'clipping',
    severity: 'warning',
    stage: 'publisher',
    advice: 'The sound is cut off at full scale. Turn the gain of the publisher down.',
    opensAfter: 2,
    closesAfter: 4,
    judge: ({ viewer }) =>
      viewer === null || viewer.clippedShare === null ? null : above(viewer.clippedShare, CLIPPED_SHARE),
  },
  {
    type: 'av-skew',
    severity: 'warning',
    stage: 'publisher',
    advice:
      'Sound and picture of the same moment come apart. Check the sync offset of the audio source at the publisher.',
    opensAfter: 3,
    closesAfter: 4,
    judge: judgeSkew,
  },
];
