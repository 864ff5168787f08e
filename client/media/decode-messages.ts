// What the page and the decode worker say to each other. Types only, so that a page does not load the worker's code.

import type { AudioTrackConfig, EncodedBy } from '../../shared/media/access-unit.ts';
import type { RenditionInfo } from '../../shared/protocol/viewer-messages.ts';
import type { PeerErrorCode } from '../../shared/errors.ts';
import type { RendererChoice } from '../render/create-renderer.ts';
import type { Picture } from './picture.ts';
import type { DecoderKind } from './picture-decoder.ts';

/** Which decoder the viewer wants. */
export type DecoderChoice = 'auto' | DecoderKind;

/** What the worker needs to start. */
export type PlaybackRequest = {
  /** `http(s)://HOST` of the server. */
  readonly origin: string;
  readonly stream: string;
  readonly rendition: string;
  readonly decoder: DecoderChoice;
  readonly renderer: RendererChoice;
  /** Every picture comes with how it was coded (our own decoder only). */
  readonly inspect: boolean;
  /** False when the page has no VideoDecoder: then the worker does not use its own. */
  readonly hasWebCodecs: boolean;
  /** When the page was opened, local epoch ms: the join time counts from then, the start of the worker included. */
  readonly openedAtMs: number;
  /** Absent where the page draws itself. */
  readonly canvas?: OffscreenCanvas;
};

/** How sound leaves the page: samples to an AudioWorklet, or encoded frames to MediaSource. */
export type AudioRoute = 'pcm' | 'encoded';

export type ToDecodeWorker =
  | ({ readonly type: 'start' } & PlaybackRequest)
  | { readonly type: 'select'; readonly rendition: string }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'hidden'; readonly isHidden: boolean }
  /** The network came back: what was lost need not wait for its turn. */
  | { readonly type: 'online' }
  | { readonly type: 'sound-on'; readonly port: MessagePort; readonly route: AudioRoute }
  | { readonly type: 'sound-off' }
  | { readonly type: 'output-latency'; readonly ms: number }
  | { readonly type: 'release'; readonly buffer: ArrayBuffer };

/** What the viewer is told; each kind is one overlay of the player. */
export type PlaybackStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'waiting'; readonly sentence: string }
  | { readonly kind: 'playing' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'stalled'; readonly sentence: string }
  | { readonly kind: 'reconnecting'; readonly sentence: string }
  | { readonly kind: 'ended'; readonly sentence: string }
  | { readonly kind: 'refused'; readonly code: PeerErrorCode; readonly sentence: string }
  | { readonly kind: 'unsupported'; readonly sentence: string };

/** `audio` of the statistics. `skewMs`: sound minus picture, positive when the sound is early; null while muted. */
export type AudioStats = {
  readonly codec: string;
  readonly skewMs: number | null;
  readonly bufferMs: number;
  readonly underruns: number;
};

/** The numbers behind `window.tessera.stats()`. */
export type PlaybackStats = {
  readonly decoder: DecoderKind | null;
  readonly encoder: EncodedBy | null;
  readonly rendition: string | null;
  readonly codec: string | null;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly painted: number;
  /** Decoded or received, and never painted although the page was visible; the join burst is not counted. */
  readonly dropped: number;
  readonly decodeErrors: number;
  readonly bufferMs: number;
  /** Of the last painted picture: the one that `frame()` gives. */
  readonly latencyMs: number | null;
  /** Median of the last second or so. */
  readonly latencyMedianMs: number | null;
  /** Means of the last second or so. */
  readonly latencyStages: LatencyStages | null;
  readonly latencyKind: 'glass' | 'ingest' | null;
  readonly joinMs: number | null;
  readonly audio: AudioStats | null;
  readonly bitrateKbps: number;
  readonly stalls: number;
  readonly stalledMs: number;
  readonly rttMs: number | null;
  readonly viewers: number;
  readonly renderer: 'webgl' | '2d' | null;
};

/** What the rendition menu shows. */
export type RenditionMenu = {
  readonly renditions: readonly RenditionInfo[];
  readonly current: string | null;
  /** Why there is nothing better to choose from. */
  readonly reason: string | null;
};

/** Where a picture's latency went, ms; they add up to it. */
export type LatencyStages = {
  /** From capture (or from ingest) until the page had the access unit: encoding, the server, the network. */
  readonly arrive: number;
  readonly decode: number;
  /** In the jitter buffer, until it was due and the display took it. */
  readonly wait: number;
  readonly draw: number;
};

/** When a picture was painted, and how old it was then. */
export type Painting = {
  readonly ptsUs: number;
  /** Local epoch ms (clock-sync.ts) right after drawing. */
  readonly paintedAtMs: number;
  /** From capture (or from ingest) to `paintedAtMs`; null where it is not known. */
  readonly latencyMs: number | null;
  readonly stages: LatencyStages | null;
};

export type FromDecodeWorker =
  /** The picture was painted (or, without a canvas in the worker, is to be painted now). Give the buffer back by `release`. */
  | { readonly type: 'painted'; readonly picture: Picture; readonly painting: Painting }
  | { readonly type: 'status'; readonly status: PlaybackStatus }
  | { readonly type: 'stats'; readonly stats: PlaybackStats }
  | { readonly type: 'menu'; readonly menu: RenditionMenu }
  | { readonly type: 'audio-track'; readonly config: AudioTrackConfig | null }
  | { readonly type: 'failed'; readonly sentence: string };

/** To the sound output, whichever it is. Chunks are in order. */
export type ToAudioOutput =
  | { readonly type: 'samples'; readonly ptsUs: number; readonly channels: readonly Float32Array[] }
  | { readonly type: 'frame'; readonly ptsUs: number; readonly data: Uint8Array }
  /** Play `ptsUs` now: skip what is older, wait in silence where it is newer. */
  | { readonly type: 'align'; readonly ptsUs: number }
  /** 1 is real time; a little more or less removes skew without being heard. */
  | { readonly type: 'rate'; readonly rate: number }
  | { readonly type: 'flush' };

/** From the sound output, every 50 ms or so: which PTS is being handed out, and what is left. */
export type FromAudioOutput = {
  readonly ptsUs: number | null;
  readonly bufferedMs: number;
  readonly underruns: number;
};
