// One viewer's sound: decodes (or passes encoded frames on), and steers the output to the playout clock so that sound and picture
// stay within a frame of each other: large skew by a jump, small skew by a rate that nobody hears. While muted nothing is decoded.
// Runs in the decode worker; the output is an AudioWorklet or a MediaSource on the page, behind a MessagePort.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';
import type { WireObject } from '../../shared/protocol/object-header.ts';
import { localNowMs } from '../transport/clock-sync.ts';
import type { AudioRoute, AudioStats, FromAudioOutput, ToAudioOutput } from './decode-messages.ts';
import type { PlayoutClock } from './playout-clock.ts';

/** How an output is steered: a worklet jumps at no cost, a media element needs a reserve and long to recover from a seek. */
type Steering = {
  readonly jumpMs: number;
  readonly settleMs: number;
  readonly maxRateChange: number;
  readonly ratePerMs: number;
  /** Sound that must lie ready in the output. */
  readonly reserveMs: number;
};

const STEERING: Readonly<Record<AudioRoute, Steering>> = {
  pcm: { jumpMs: 90, settleMs: 600, maxRateChange: 0.012, ratePerMs: 1 / 2500, reserveMs: 25 },
  encoded: { jumpMs: 400, settleMs: 2500, maxRateChange: 0.1, ratePerMs: 1 / 1000, reserveMs: 220 },
};

/** What 16 bits call full scale, but for rounding. */
const FULL_SCALE = 0.9995;
const SMOOTHING = 0.25;
const TRANSIT_WINDOW = 100;
const MAX_PENDING_FRAMES = 100;

/** The sound half of a playback session. */
export class AudioPipeline {
  readonly #clock: PlayoutClock;
  #track: { readonly id: number; readonly config: AudioTrackConfig } | null = null;
  #output: { readonly port: MessagePort; readonly route: AudioRoute } | null = null;
  #decoder: AudioDecoder | null = null;
  #outputLatencyMs = 0;
  #transits: number[] = [];
  #skewMs: number | null = null;
  #alignedAt = 0;
  #bufferedMs = 0;
  #underruns = 0;
  #samples = 0;
  #clipped = 0;

  constructor(clock: PlayoutClock) {
    this.#clock = clock;
  }

  get config(): AudioTrackConfig | null {
    return this.#track?.config ?? null;
  }

  setTrack(id: number, config: AudioTrackConfig): void {
    this.#track = { id, config };
    this.#restart();
  }

  /** The sound goes to `port` from now on. */
  attach(port: MessagePort, route: AudioRoute): void {
    this.detach();
    port.onmessage = (event: MessageEvent<FromAudioOutput>) => this.#onPosition(event.data);
    this.#output = { port, route };
    this.#restart();
  }

  detach(): void {
    this.#output?.port.close();
    this.#output = null;
    this.#restart();
  }

  /** How long a sample takes from the output's reader to the ear. */
  setOutputLatency(ms: number): void {
    this.#outputLatencyMs = ms;
  }

  /** Forgets what is queued: after a pause or a reconnect. */
  flush(): void {
    this.#send({ type: 'flush' });
    this.#restart();
  }

  push(object: WireObject): void {
    if (this.#output === null || object.trackId !== this.#track?.id || object.isCached) {
      return;
    }
    if (this.#output.route === 'encoded') {
      this.#noteTransit(object.pts);
      const data = object.payload.slice();
      this.#send({ type: 'frame', ptsUs: object.pts, data }, [data.buffer]);
      return;
    }
    this.#decoder ??= this.#createDecoder(this.#track.config);
    if (this.#decoder !== null && this.#decoder.decodeQueueSize < MAX_PENDING_FRAMES) {
      this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: object.pts, data: object.payload }));
    }
  }

  stats(): AudioStats | null {
    if (this.#track === null) {
      return null;
    }
    return {
      codec: this.#track.config.codec,
      skewMs: this.#skewMs,
      bufferMs: this.#bufferedMs,
      underruns: this.#underruns,
    };
  }

  /** Share of the samples at full scale since the last call; null where none was decoded here. */
  takeClippedShare(): number | null {
    const share = this.#samples === 0 ? null : this.#clipped / this.#samples;
    this.#samples = 0;
    this.#clipped = 0;
    return share;
  }

  close(): void {
    this.detach();
  }

  #restart(): void {
    if (this.#decoder !== null && this.#decoder.state !== 'closed') {
      this.#decoder.close();
    }
    this.#decoder = null;
    this.#transits = [];
    this.#skewMs = null;
    this.#alignedAt = 0;
    this.#clock.setAudioTransit(null);
  }

  #createDecoder(config: AudioTrackConfig): AudioDecoder | null {
    if (typeof AudioDecoder === 'undefined') {
      return null;
    }
    const decoder = new AudioDecoder({
      output: (data) => {
        if (this.#decoder === decoder) {
          this.#onSamples(data);
        }
        data.close();
      },
      error: () => {
        if (this.#decoder === decoder) {
          this.#decoder = null; // the next frame starts a new one
        }
      },
    });
    decoder.configure({
      codec: config.codec,
      sampleRate: config.sampleRate,
      numberOfChannels: config.channels,
      ...(config.description === undefined ? {} : { description: new Uint8Array(config.description) }),
    });
    return decoder;
  }

  #onSamples(data: AudioData): void {
    this.#noteTransit(data.timestamp);
    const channels = Array.from({ length: data.numberOfChannels }, (_, planeIndex) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex, format: 'f32-planar' });
      this.#samples += samples.length;
      this.#clipped += samples.reduce((count, sample) => count + (Math.abs(sample) >= FULL_SCALE ? 1 : 0), 0);
      return samples;
    });
    this.#send(
      { type: 'samples', ptsUs: data.timestamp, channels },
      channels.map((samples) => samples.buffer),
    );
  }

  // The picture waits for the sound, never the other way round: the clock runs late enough for nearly all sound to be in time.
  #noteTransit(ptsUs: number): void {
    this.#transits.push(localNowMs() - ptsUs / 1000);
    this.#transits = this.#transits.slice(-TRANSIT_WINDOW);
    const sorted = [...this.#transits].sort((a, b) => a - b);
    const usual = sorted[Math.floor((sorted.length - 1) * 0.95)] ?? 0;
    const { reserveMs } = STEERING[this.#output?.route ?? 'pcm'];
    this.#clock.setAudioTransit(usual + this.#outputLatencyMs + reserveMs);
  }

  #onPosition(position: FromAudioOutput): void {
    this.#bufferedMs = position.bufferedMs;
    this.#underruns = position.underruns;
    if (!this.#clock.isRunning) {
      return;
    }
    const { jumpMs, settleMs, maxRateChange, ratePerMs } = STEERING[this.#output?.route ?? 'pcm'];
    const nowMs = localNowMs();
    const wantedMs = this.#clock.ptsAtMs(nowMs) + this.#outputLatencyMs;
    if (position.ptsUs === null) {
      this.#skewMs = null;
      if (position.bufferedMs > 0 && nowMs - this.#alignedAt > settleMs / 3) {
        this.#align(wantedMs, nowMs);
      }
      return;
    }
    const skewMs = position.ptsUs / 1000 - wantedMs;
    if (Math.abs(skewMs) > jumpMs) {
      if (nowMs - this.#alignedAt > settleMs) {
        this.#align(wantedMs, nowMs);
      }
      return;
    }
    this.#skewMs = this.#skewMs === null ? skewMs : this.#skewMs + (skewMs - this.#skewMs) * SMOOTHING;
    const change = Math.max(-maxRateChange, Math.min(maxRateChange, this.#skewMs * ratePerMs));
    this.#send({ type: 'rate', rate: 1 - change });
  }

  #align(wantedMs: number, nowMs: number): void {
    this.#alignedAt = nowMs;
    this.#skewMs = null;
    this.#send({ type: 'align', ptsUs: wantedMs * 1000 });
  }

  #send(message: ToAudioOutput, transfer: Transferable[] = []): void {
    this.#output?.port.postMessage(message, transfer);
  }
}
