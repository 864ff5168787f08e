// The player page: bar, stage with the picture and what lies over it, and the line that says who encoded and who decodes.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AppBar } from '../ui/app-bar.tsx';
import { Badge } from '../ui/badge.tsx';
import { formatCount } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Store, useStore } from '../ui/store.ts';
import { WakeLock } from '../ui/wake-lock.ts';
import { Controls, hasControls } from './controls.tsx';
import { useFullScreen } from './full-screen.ts';
import { Inspector } from './inspector.tsx';
import { listenForKeys } from './keyboard.ts';
import { installPageHooks } from './page-hooks.ts';
import type { PageOptions } from './page-options.ts';
import { Player } from './player.ts';
import { INITIAL_STATE, type PlayerState } from './player-state.ts';
import { Provenance } from './provenance.tsx';
import { Share } from './share.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { Statistics } from './statistics.tsx';
import { StatusOverlay } from './status-overlay.tsx';
import { useIdle } from './use-idle.ts';
import './watch-page.css';

const NO_PLAYER = new Store<PlayerState>(INITIAL_STATE);

function StreamTitle({ stream, state }: { readonly stream: string; readonly state: PlayerState }) {
  const { kind } = state.status;
  return (
    <>
      <h1 class="watch-title">{stream}</h1>
      {kind === 'playing' && <Badge tone="live">LIVE</Badge>}
      {kind === 'paused' && <Badge tone="plain">Paused</Badge>}
      {state.stats.viewers > 0 && (
        <span class="watch-viewers" title={formatCount(state.stats.viewers, 'viewer')}>
          <Icon name="viewers" size={16} /> {state.stats.viewers.toLocaleString('en')}
        </span>
      )}
    </>
  );
}

/** The whole page of one stream. */
export function WatchPage({ options, worker }: { readonly options: PageOptions; readonly worker: Worker }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLElement>(null);
  const [player, setPlayer] = useState<Player | null>(null);
  const [hasStatistics, setStatistics] = useState(false);
  const [hasShortcuts, setShortcuts] = useState(false);
  const [wakeLock] = useState(() => new WakeLock());
  const state = useStore(player?.state ?? NO_PLAYER);
  const isIdle = useIdle(stage);
  const fullScreen = useFullScreen(stage);
  const toggleFullScreen = useRef(fullScreen.toggle);
  toggleFullScreen.current = fullScreen.toggle;
  wakeLock.isWanted = state.status.kind === 'playing';

  // Before the browser paints the page: the first picture should not wait for that.
  useLayoutEffect(() => {
    if (canvas.current === null) {
      return undefined;
    }
    const created = new Player(canvas.current, options, worker);
    installPageHooks(created);
    setPlayer(created);
    return listenForKeys(created, {
      toggleFullScreen: () => toggleFullScreen.current(),
      toggleStatistics: () => setStatistics((isOpen) => !isOpen),
      toggleShortcuts: () => setShortcuts((isOpen) => !isOpen),
    });
  }, []);

  const areControlsHidden = isIdle && state.status.kind === 'playing';
  const stageClasses = ['stage', areControlsHidden ? 'stage-idle' : '', fullScreen.fillsPage ? 'stage-fills-page' : ''];
  return (
    <div class={options.isEmbedded ? 'watch watch-embedded' : 'watch'}>
      {!options.isEmbedded && (
        <AppBar here="/watch">
          <StreamTitle stream={options.stream} state={state} />
          <Share stream={options.stream} />
        </AppBar>
      )}
      <main class={stageClasses.filter((name) => name !== '').join(' ')} ref={stage}>
        <div class="stage-frame">
          <canvas
            id="video"
            ref={canvas}
            style={{ '--aspect': String(state.aspect) }}
            class={state.hasPicture ? 'stage-picture' : 'stage-picture stage-picture-empty'}
            aria-label={`Live picture of ${options.stream}`}
            role="img"
            onDblClick={fullScreen.toggle}
          />
        </div>
        {options.inspect && player !== null && <Inspector player={player} aspect={state.aspect} />}
        <StatusOverlay
          status={state.status}
          hasPicture={state.hasPicture}
          isOverControls={hasControls(state)}
          onResume={() => player?.goLive()}
        />
        {hasStatistics && <Statistics state={state} onClose={() => setStatistics(false)} />}
        {player !== null && (
          <Controls
            player={player}
            state={state}
            onStatistics={() => setStatistics(!hasStatistics)}
            invitesToSound={!options.inspect}
            isFullScreen={fullScreen.isOn}
            onFullScreen={fullScreen.toggle}
          />
        )}
        {hasShortcuts && <Shortcuts onClose={() => setShortcuts(false)} />}
      </main>
      {!options.isEmbedded && <Provenance state={state} />}
    </div>
  );
}
