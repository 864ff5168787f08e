// The studio: what is captured on the left, how it is sent on the right, live numbers while it is on the air.

import { useEffect, useState } from 'preact/hooks';
import { AppBar } from '../ui/app-bar.tsx';
import { useStore } from '../ui/store.ts';
import { GoLive } from './go-live.tsx';
import { LiveNumbers } from './live-numbers.tsx';
import { Preview } from './preview.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { Studio } from './studio.ts';
import { installStudioHooks } from './studio-hooks.ts';
import { isOnAir } from './studio-state.ts';
import './studio-page.css';

/** The whole page. */
export function StudioPage() {
  const [studio] = useState(() => new Studio());
  const state = useStore(studio.state);

  useEffect(() => installStudioHooks(studio), []);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (isOnAir(studio.state.value)) {
        event.preventDefault();
      }
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);

  return (
    <>
      <AppBar here="/studio">
        <h1 class="studio-title">Studio</h1>
      </AppBar>
      <main class="studio">
        <div class="studio-main">
          <Preview
            state={state}
            onOpen={() => void studio.openPreview()}
            onSource={(source) => studio.change({ source })}
          />
          {state.problem !== null && (
            <p class="studio-problem" role="alert">
              {state.problem}
            </p>
          )}
          {state.stats !== null && isOnAir(state) && <LiveNumbers stats={state.stats} />}
        </div>
        <aside class="studio-side">
          <SettingsPanel state={state} onChange={(fields) => studio.change(fields)} />
          <GoLive state={state} onStart={() => void studio.goLive()} onEnd={() => studio.end()} />
        </aside>
      </main>
    </>
  );
}
