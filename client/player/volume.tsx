// Sound on and off, and how loud.

import { IconButton } from '../ui/icon-button.tsx';
import type { Player } from './player.ts';
import type { PlayerState } from './player-state.ts';
import './volume.css';

/** A button with a slider that comes out when it is pointed at. */
export function Volume({ player, state }: { readonly player: Player; readonly state: PlayerState }) {
  const isHeard = state.isSoundOn && state.volume > 0;
  return (
    <div class="volume">
      <IconButton
        icon={isHeard ? 'sound' : 'muted'}
        label={isHeard ? 'Mute (M)' : 'Sound on (M)'}
        onClick={() => player.toggleSound()}
      />
      <input
        class="volume-slider"
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label="Volume"
        value={state.isSoundOn ? state.volume : 0}
        onInput={(event) => {
          player.setVolume(Number(event.currentTarget.value));
          if (!player.state.value.isSoundOn) {
            player.toggleSound();
          }
        }}
      />
    </div>
  );
}
