// The first line of the console: how many streams, how many are unwell, how many people watch, what comes in.

import { formatBitrate } from '../ui/format.ts';
import { statusOf } from './urgency.ts';
import type { StreamView } from './use-console.ts';
import './summary.css';

type TileProps = { readonly name: string; readonly value: string; readonly tone?: 'bad' | 'good' };

function Tile({ name, value, tone }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class={tone === undefined ? '' : `tone-${tone}`}>{value}</dd>
    </div>
  );
}

/** Four numbers. */
export function Summary({ streams }: { readonly streams: readonly StreamView[] }) {
  const live = streams.filter((stream) => stream.summary.state === 'live').length;
  const unwell = streams.filter((stream) => ['bad', 'ok'].includes(statusOf(stream))).length;
  const viewers = streams.reduce((sum, stream) => sum + stream.summary.viewers, 0);
  const kbps = streams.reduce((sum, stream) => sum + (stream.health?.bitrateKbps ?? 0), 0);
  return (
    <dl class="summary">
      <Tile name="Live streams" value={String(live)} />
      <Tile name="Need attention" value={String(unwell)} tone={unwell > 0 ? 'bad' : 'good'} />
      <Tile name="Viewers" value={viewers.toLocaleString('en')} />
      <Tile name="Coming in" value={formatBitrate(kbps)} />
    </dl>
  );
}
