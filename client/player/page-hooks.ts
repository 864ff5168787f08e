// window.tessera: what tests and embedders read from the player page.

import type { PictureInspection } from '../../shared/codec/h264/decoder/inspection.ts';
import type { Painting, PlaybackStats } from '../media/decode-messages.ts';
import type { FrameCopy, Player } from './player.ts';

/** What the page offers to tests and embedders. `stats` and `frame` answer at once, and of the same picture. */
type PageHooks = {
  /** `latencyMs` is that of the picture that `frame` gives, measured when it was painted. */
  readonly stats: () => PlaybackStats;
  readonly frame: () => FrameCopy | null;
  /** How the picture that `frame` gives was coded; null without `?inspect` or with the browser's decoder. */
  readonly inspection: () => PictureInspection | null;
  /** Calls back for each painted picture, in order; returns the function that stops it. */
  readonly onPainted: (listener: (painting: Painting) => void) => () => void;
};

declare global {
  interface Window {
    tessera?: PageHooks;
  }
}

/** Publishes the player's numbers and its last picture on the window. */
export function installPageHooks(player: Player): void {
  window.tessera = {
    stats: () => player.stats(),
    frame: () => player.frame(),
    inspection: () => player.inspected()?.inspection ?? null,
    onPainted: (listener) => player.onPainted(listener),
  };
}
