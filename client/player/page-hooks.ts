// window.tessera: what tests and embedders read from the player page.

import type { PlaybackStats } from '../media/decode-messages.ts';
import type { FrameCopy, Player } from './player.ts';

/** The hooks of the contract. Both answer at once. */
export type PageHooks = {
  readonly stats: () => PlaybackStats;
  readonly frame: () => FrameCopy | null;
};

declare global {
  interface Window {
    tessera?: PageHooks;
  }
}

/** Publishes the player's numbers and its last picture on the window. */
export function installPageHooks(player: Player): void {
  window.tessera = {
    stats: () => player.state.value.stats,
    frame: () => player.frame(),
  };
}
