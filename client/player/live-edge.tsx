// Says whether the picture is at the live edge, and brings it back there.

import type { PlayerState } from './player-state.ts';
import './live-edge.css';

/** The live button: a lit dot at the edge, a way back elsewhere. */
export function LiveEdge({ state, onGoLive }: { readonly state: PlayerState; readonly onGoLive: () => void }) {
  const isAtEdge = state.status.kind === 'playing';
  return (
    <button
      class={isAtEdge ? 'live-edge live-edge-on' : 'live-edge'}
      type="button"
      disabled={isAtEdge}
      title={isAtEdge ? 'At the live edge' : 'Back to live (L)'}
      onClick={onGoLive}
    >
      {isAtEdge ? 'Live' : 'Go live'}
    </button>
  );
}
