// The bar over the picture's lower edge: pause, live edge, sound, rendition, statistics, full screen.

import { useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { LiveEdge } from './live-edge.tsx';
import type { Player } from './player.ts';
import type { PlayerState } from './player-state.ts';
import { RenditionMenu } from './rendition-menu.tsx';
import { Volume } from './volume.tsx';
import './controls.css';

type ControlsProps = {
  readonly player: Player;
  readonly state: PlayerState;
  /** The button over the picture's corner, which the inspector needs for itself. */
  readonly invitesToSound: boolean;
  readonly onStatistics: () => void;
  readonly isFullScreen: boolean;
  readonly onFullScreen: () => void;
};

function SoundInvitation({
  player,
  state,
  invitesToSound,
}: Pick<ControlsProps, 'player' | 'state' | 'invitesToSound'>) {
  if (state.soundProblem !== null) {
    return <p class="tap-for-sound">{state.soundProblem}</p>;
  }
  if (!invitesToSound || state.audioTrack === null || state.isSoundOn || state.status.kind !== 'playing') {
    return null;
  }
  return (
    <button class="tap-for-sound" type="button" onClick={() => player.toggleSound()}>
      <Icon name="muted" size={18} /> Tap for sound
    </button>
  );
}

/** Without a picture there is nothing to control. */
export function hasControls(state: PlayerState): boolean {
  return state.hasPicture && state.status.kind !== 'ended';
}

/** All controls of the player. */
export function Controls({ player, state, invitesToSound, onStatistics, isFullScreen, onFullScreen }: ControlsProps) {
  const [isMenuOpen, setMenuOpen] = useState(false);
  const isPaused = state.status.kind === 'paused';
  const isOn = hasControls(state);
  return (
    <>
      <SoundInvitation player={player} state={state} invitesToSound={invitesToSound} />
      <div class={isOn ? 'controls' : 'controls controls-off'}>
        <IconButton
          icon={isPaused ? 'play' : 'pause'}
          label={isPaused ? 'Play (space)' : 'Pause (space)'}
          onClick={() => player.togglePause()}
        />
        <LiveEdge state={state} onGoLive={() => player.goLive()} />
        {state.audioTrack !== null && <Volume player={player} state={state} />}
        <span class="controls-space" />
        <RenditionMenu
          menu={state.menu}
          playing={state.stats.rendition}
          isOpen={isMenuOpen}
          onToggle={setMenuOpen}
          onSelect={(rendition) => {
            player.select(rendition);
            setMenuOpen(false);
          }}
        />
        <IconButton icon="statistics" label="Statistics (I)" onClick={onStatistics} />
        <IconButton
          icon={isFullScreen ? 'shrink' : 'expand'}
          label={isFullScreen ? 'Leave full screen (F)' : 'Full screen (F)'}
          onClick={onFullScreen}
        />
      </div>
    </>
  );
}
