// The lines of the statistics overlay. Pure.

import type { PlaybackStats } from '../media/decode-messages.ts';
import { formatBitrate, formatMs, formatRate, formatSize } from '../ui/format.ts';

const ENCODERS = { tessera: 'Tessera encoder', publisher: 'publisher' } as const;
const DECODERS = { webcodecs: 'WebCodecs', wasm: 'Tessera WASM' } as const;
const PROFILES: Readonly<Record<string, string>> = { '42': 'Baseline', '4d': 'Main', '58': 'Extended', '64': 'High' };
const NAMES: Readonly<Record<string, string>> = { hvc1: 'HEVC', hev1: 'HEVC', av01: 'AV1', vp09: 'VP9', vp8: 'VP8' };

/** `H.264 High` and the like, from an RFC 6381 string. */
export function codecTitle(codec: string): string {
  if (codec.startsWith('avc')) {
    return `H.264 ${PROFILES[codec.slice(5, 7).toLowerCase()] ?? ''}`.trim();
  }
  return NAMES[codec.split('.')[0] ?? ''] ?? codec;
}

function audioOf(stats: PlaybackStats): string {
  if (stats.audio === null) {
    return 'none';
  }
  const skew = stats.audio.skewMs === null ? 'muted' : `skew ${Math.round(stats.audio.skewMs)} ms`;
  return `${stats.audio.codec}, ${skew}`;
}

function stagesOf({ latencyStages }: PlaybackStats): string {
  if (latencyStages === null) {
    return '–';
  }
  const { arrive, decode, wait, draw } = latencyStages;
  const [way, decoding, waiting, drawing] = [arrive, decode, wait, draw].map((ms) => Math.round(ms));
  return `arriving ${way}, decoding ${decoding}, waiting ${waiting}, drawing ${drawing} ms`;
}

/** Label and value of each line. */
export function statisticsRows(stats: PlaybackStats): readonly (readonly [string, string])[] {
  const kind = stats.latencyKind === 'ingest' ? 'from ingest' : 'glass to glass';
  return [
    ['Encoded by', stats.encoder === null ? '–' : ENCODERS[stats.encoder]],
    ['Decoded by', stats.decoder === null ? '–' : DECODERS[stats.decoder]],
    ['Painted by', stats.renderer === 'webgl' ? 'WebGL' : (stats.renderer ?? 'the page')],
    ['Rendition', stats.rendition ?? '–'],
    ['Codec', stats.codec === null ? '–' : `${codecTitle(stats.codec)} (${stats.codec})`],
    ['Picture', `${formatSize(stats.width, stats.height)} at ${formatRate(stats.fps)} fps`],
    ['Bitrate', formatBitrate(stats.bitrateKbps)],
    [`Latency, ${kind}`, formatMs(stats.latencyMedianMs)],
    ['Of that', stagesOf(stats)],
    ['Jitter buffer', formatMs(stats.bufferMs)],
    ['First picture after', formatMs(stats.joinMs)],
    ['Painted / dropped', `${stats.painted} / ${stats.dropped}`],
    ['Decode errors', String(stats.decodeErrors)],
    ['Stalls', stats.stalls === 0 ? 'none' : `${stats.stalls}, ${formatMs(stats.stalledMs)}`],
    ['Sound', audioOf(stats)],
    ['Round trip', formatMs(stats.rttMs)],
  ];
}
