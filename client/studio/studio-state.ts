// What the studio page draws itself from.

import type { EncoderChoice, PublishStats, PublishStatus } from '../media/encode-messages.ts';

/** Where the picture comes from. */
export type PictureSource = 'camera' | 'screen';

/** What the streamer sets. */
export type StudioSettings = {
  readonly stream: string;
  readonly key: string;
  readonly source: PictureSource;
  readonly cameraId: string;
  readonly microphoneId: string; // `off` for none
  readonly maxHeight: number;
  readonly fps: number;
  readonly ceilingKbps: number;
  readonly encoder: EncoderChoice;
};

/** A camera or microphone of this machine. */
export type Device = { readonly id: string; readonly label: string };

/** Everything on the page that changes. */
export type StudioState = {
  readonly settings: StudioSettings;
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  readonly preview: MediaStream | null;
  readonly status: PublishStatus | { readonly kind: 'off' };
  readonly stats: PublishStats | null;
  readonly problem: string | null;
};

/** What the page starts with. */
export const DEFAULT_SETTINGS: StudioSettings = {
  stream: 'studio',
  key: '',
  source: 'camera',
  cameraId: '',
  microphoneId: '',
  maxHeight: 720,
  fps: 30,
  ceilingKbps: 2500,
  encoder: 'tessera',
};

/** True while a broadcast is running or coming back. */
export function isOnAir(state: StudioState): boolean {
  return ['connecting', 'live', 'reconnecting'].includes(state.status.kind);
}

/** What is wrong with a stream name, or null. */
export function streamProblem(stream: string): string | null {
  return /^[A-Za-z0-9_-]{1,64}$/.test(stream) ? null : 'Letters, digits, dashes and underscores, at most 64.';
}
