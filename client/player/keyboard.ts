// The player's keys, and the list of them that the page shows.

import type { Player } from './player.ts';

/** What keys can do beside the player itself. */
export type KeyActions = {
  readonly toggleFullScreen: () => void;
  readonly toggleStatistics: () => void;
  readonly toggleShortcuts: () => void;
};

/** What the page tells about them, in order. */
export const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['Space', 'K'], does: 'Pause, and back to live' },
  { keys: ['L'], does: 'Live edge' },
  { keys: ['M'], does: 'Sound on and off' },
  { keys: ['↑', '↓'], does: 'Volume' },
  { keys: ['F'], does: 'Full screen' },
  { keys: ['I'], does: 'Statistics' },
  { keys: ['?'], does: 'This list' },
];

const VOLUME_STEP = 0.1;

/** One action per key, by KeyboardEvent.key in lower case. */
function keyTable(player: Player, actions: KeyActions): ReadonlyMap<string, () => void> {
  const changeVolume = (by: number) =>
    player.setVolume(Math.max(0, Math.min(1, Math.round((player.state.value.volume + by) * 10) / 10)));
  const togglePause = () => player.togglePause();
  return new Map<string, () => void>([
    [' ', togglePause],
    ['k', togglePause],
    ['l', () => player.goLive()],
    ['m', () => player.toggleSound()],
    ['f', actions.toggleFullScreen],
    ['i', actions.toggleStatistics],
    ['?', actions.toggleShortcuts],
    ['arrowup', () => changeVolume(VOLUME_STEP)],
    ['arrowdown', () => changeVolume(-VOLUME_STEP)],
  ]);
}

function belongsToControl(event: KeyboardEvent): boolean {
  const isControl =
    event.target instanceof HTMLElement && /^(input|select|textarea|button)$/i.test(event.target.tagName);
  return isControl && (event.key === ' ' || event.key === 'Enter' || event.key.startsWith('Arrow'));
}

/** Listens on the document; returns the function that stops it. Keys meant for a focused control are left to it. */
export function listenForKeys(player: Player, actions: KeyActions): () => void {
  const table = keyTable(player, actions);
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || belongsToControl(event)) {
      return;
    }
    const action = table.get(event.key.toLowerCase());
    if (action !== undefined) {
      event.preventDefault();
      action();
    }
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
