// The front page: what is live now, and how to go live.

import { getStreams } from '../ui/api.ts';
import { AppBar } from '../ui/app-bar.tsx';
import { Notice } from '../ui/notice.tsx';
import { usePolling } from '../ui/use-polling.ts';
import { HowToStream } from './how-to-stream.tsx';
import { StreamCard } from './stream-card.tsx';
import './home-page.css';

const REFRESH_MS = 3000;

/** The whole page. */
export function HomePage() {
  const { answer: streams, error } = usePolling(() => getStreams(), REFRESH_MS, []);
  const live = (streams ?? []).filter((stream) => stream.state !== 'ended');
  return (
    <>
      <AppBar here="/" />
      <main class="home">
        <div class="home-heading">
          <h1>Live now</h1>
          {error !== null && <p class="home-problem">{error.message}</p>}
        </div>
        {live.length > 0 && (
          <div class="home-grid">
            {live.map((stream) => (
              <StreamCard key={stream.id} stream={stream} />
            ))}
          </div>
        )}
        {streams !== null && live.length === 0 && (
          <Notice icon="broadcast" title="Nothing is live at the moment">
            <p>Streams appear here by themselves as soon as somebody starts one.</p>
          </Notice>
        )}
        <HowToStream />
      </main>
    </>
  );
}
