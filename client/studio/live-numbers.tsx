// What a streamer wants to know while on the air.

import type { PublishStats } from '../media/encode-messages.ts';
import { formatBitrate, formatMs, formatRate, formatSize } from '../ui/format.ts';
import './live-numbers.css';

const ENCODERS = { tessera: 'Tessera', webcodecs: 'this browser' } as const;

function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note?: string }) {
  return (
    <div class="number">
      <dt>{name}</dt>
      <dd>{value}</dd>
      {note !== undefined && <p>{note}</p>}
    </div>
  );
}

/** Six numbers in two rows. */
export function LiveNumbers({ stats }: { readonly stats: PublishStats }) {
  const share = stats.encoded + stats.dropped === 0 ? 0 : (100 * stats.dropped) / (stats.encoded + stats.dropped);
  return (
    <dl class="numbers">
      <Figure
        name="Bitrate"
        value={formatBitrate(stats.bitrateKbps)}
        note={`target ${formatBitrate(stats.targetKbps)}`}
      />
      <Figure name="Picture" value={`${formatRate(stats.fps)} fps`} note={formatSize(stats.width, stats.height)} />
      <Figure name="Encoding" value={`${stats.encodeMs.toFixed(1)} ms`} note={`by ${ENCODERS[stats.encoder]}`} />
      <Figure name="Dropped" value={String(stats.dropped)} note={`${share.toFixed(1)} % of the pictures`} />
      <Figure name="Round trip" value={formatMs(stats.rttMs)} note={`${formatMs(stats.queueMs)} in the queue`} />
      <Figure
        name="Viewers"
        value={stats.viewers.toLocaleString('en')}
        note={stats.hasAudio ? 'with sound' : 'without sound'}
      />
    </dl>
  );
}
