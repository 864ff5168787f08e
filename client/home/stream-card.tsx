// One live stream on the front page: a picture of it, its name, and what is known about it.

import type { StreamSummary } from '../ui/api.ts';
import { Badge } from '../ui/badge.tsx';
import { formatCount, formatRate } from '../ui/format.ts';
import { Thumbnail } from './thumbnail.tsx';
import './stream-card.css';

function pictureOf(stream: StreamSummary): string {
  const video = stream.tracks.find((track) => track.kind === 'video');
  if (video === undefined) {
    return stream.tracks.length > 0 ? 'sound only' : '';
  }
  const { height = 0, fps = 0 } = video;
  return `${height}p${fps > 0 ? ` at ${formatRate(fps)} fps` : ''}`;
}

/** A link to the player. */
export function StreamCard({ stream }: { readonly stream: StreamSummary }) {
  const hasRenditions = stream.tracks.some((track) => track.encoder === 'tessera');
  return (
    <a class="card" href={`/watch/${stream.id}`}>
      <div class="card-picture">
        <Thumbnail stream={stream.id} />
        <span class="card-state">
          <Badge tone={stream.state === 'live' ? 'live' : 'plain'}>
            {stream.state === 'live' ? 'LIVE' : stream.state}
          </Badge>
        </span>
      </div>
      <div class="card-text">
        <h2>{stream.id}</h2>
        <p>
          {[formatCount(stream.viewers, 'viewer'), pictureOf(stream), hasRenditions ? 'encoded by Tessera' : '']
            .filter((part) => part !== '')
            .join(' · ')}
        </p>
      </div>
    </a>
  );
}
