// The operator's console: which stream is unhealthy, why, and since when; the numbers of each over the last minutes.

import { useState } from 'preact/hooks';
import { AppBar } from '../ui/app-bar.tsx';
import { Notice } from '../ui/notice.tsx';
import { ServerLine } from './server-line.tsx';
import { SignIn } from './sign-in.tsx';
import { byUrgency } from './urgency.ts';
import { StreamDetail } from './stream-detail.tsx';
import { StreamTable } from './stream-table.tsx';
import { Summary } from './summary.tsx';
import { useConsole, type ConsoleView } from './use-console.ts';
import './console-page.css';

const TOKEN_KEY = 'tessera.operatorToken';

function Body({
  view,
  token,
  selected,
  onSelect,
}: {
  readonly view: ConsoleView;
  readonly token: string | null;
  readonly selected: string | null;
  readonly onSelect: (stream: string) => void;
}) {
  const streams = [...(view.streams ?? [])].sort(byUrgency);
  const shown = streams.find((stream) => stream.summary.id === selected) ?? streams[0];
  if (view.streams !== null && shown === undefined) {
    return (
      <Notice icon="statistics" title="No streams">
        <p>Streams appear here as soon as somebody publishes one.</p>
      </Notice>
    );
  }
  return (
    <div class="console-columns">
      <StreamTable streams={streams} selected={shown?.summary.id ?? null} onSelect={onSelect} />
      {shown !== undefined && <StreamDetail key={shown.summary.id} stream={shown} token={token} />}
    </div>
  );
}

/** The whole page. */
export function ConsolePage() {
  const [token, setToken] = useState(() => sessionStorage.getItem(TOKEN_KEY));
  const [selected, setSelected] = useState<string | null>(null);
  const view = useConsole(token, selected);
  const signIn = (entered: string) => {
    sessionStorage.setItem(TOKEN_KEY, entered);
    setToken(entered);
  };
  return (
    <>
      <AppBar here="/console">
        <h1 class="console-title">Console</h1>
      </AppBar>
      <main class="console">
        {view.needsToken ? (
          <SignIn isWrong={token !== null} onToken={signIn} />
        ) : (
          <>
            {view.problem !== null && (
              <p class="console-problem" role="alert">
                {view.problem}
              </p>
            )}
            <Summary streams={view.streams ?? []} />
            <Body view={view} token={token} selected={selected} onSelect={setSelected} />
            <ServerLine token={token} />
          </>
        )}
      </main>
    </>
  );
}
