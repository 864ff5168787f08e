// What the player page draws itself from.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';
import type { PlaybackStats, PlaybackStatus, RenditionMenu } from '../media/decode-messages.ts';

/** Everything on the page that changes. */
export type PlayerState = {
  readonly status: PlaybackStatus;
  readonly stats: PlaybackStats;
  readonly menu: RenditionMenu;
  readonly audioTrack: AudioTrackConfig | null;
  readonly isSoundOn: boolean;
  /** Why there is no sound although it was asked for. */
  readonly soundProblem: string | null;
  readonly volume: number; // 0..1
  /** Width over height of the picture on the display. */
  readonly aspect: number;
  readonly hasPicture: boolean;
};

const NO_STATS: PlaybackStats = {
  decoder: null,
  encoder: null,
  rendition: null,
  codec: null,
  width: 0,
  height: 0,
  fps: 0,
  painted: 0,
  dropped: 0,
  decodeErrors: 0,
  bufferMs: 0,
  latencyMs: null,
  latencyMedianMs: null,
  latencyStages: null,
  latencyKind: null,
  joinMs: null,
  audio: null,
  bitrateKbps: 0,
  stalls: 0,
  stalledMs: 0,
  rttMs: null,
  viewers: 0,
  renderer: null,
};

/** Before the first message of the worker. */
export const INITIAL_STATE: PlayerState = {
  status: { kind: 'connecting' },
  stats: NO_STATS,
  menu: { renditions: [], current: null, reason: null },
  audioTrack: null,
  isSoundOn: false,
  soundProblem: null,
  volume: 1,
  aspect: 16 / 9,
  hasPicture: false,
};
