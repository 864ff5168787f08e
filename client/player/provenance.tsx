// The line under the picture: who encoded it, who decodes it, how far behind the camera it is.

import { formatBitrate, formatMs, formatRate, formatSize } from '../ui/format.ts';
import type { PlayerState } from './player-state.ts';
import './provenance.css';

const ENCODERS = { tessera: 'Tessera', publisher: 'the streamer' } as const;
const DECODERS = { webcodecs: 'this browser (WebCodecs)', wasm: 'Tessera (WebAssembly)' } as const;
const GLASS_HINT = 'From the camera to this screen';
const INGEST_HINT = 'From arrival at the server to this screen; the feed carries no capture times';

function Fact({ name, value, hint }: { readonly name: string; readonly value: string; readonly hint?: string }) {
  return (
    <div class="fact" title={hint}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Facts about the picture that is on. */
export function Provenance({ state }: { readonly state: PlayerState }) {
  const { stats, status } = state;
  if (stats.encoder === null || stats.painted === 0) {
    return <footer class="provenance" />;
  }
  const isGlass = stats.latencyKind === 'glass';
  const reason = status.kind === 'ended' ? null : state.menu.reason; // of a stream that is over nothing is to be had
  return (
    <footer class="provenance">
      <dl class="facts">
        <Fact name="Encoded by" value={ENCODERS[stats.encoder]} />
        <Fact name="Decoded by" value={stats.decoder === null ? '–' : DECODERS[stats.decoder]} />
        <Fact name="Picture" value={`${formatSize(stats.width, stats.height)}, ${formatRate(stats.fps)} fps`} />
        <Fact name="Bitrate" value={stats.bitrateKbps === 0 ? '–' : formatBitrate(stats.bitrateKbps)} />
        <Fact
          name={isGlass ? 'Latency, glass to glass' : 'Latency from the server'}
          value={formatMs(stats.latencyMedianMs)}
          hint={isGlass ? GLASS_HINT : INGEST_HINT}
        />
      </dl>
      {reason !== null && <p class="provenance-reason">{reason}</p>}
    </footer>
  );
}
