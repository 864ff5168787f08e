// The player behind the page: starts the decode worker on a canvas, keeps the page's state, owns the sound output, and answers
// window.tessera. One per page.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';
import type {
  AudioRoute,
  DecoderChoice,
  FromDecodeWorker,
  Painting,
  PlaybackStats,
  ToDecodeWorker,
} from '../media/decode-messages.ts';
import { displaySize, planesOf, type Picture } from '../media/picture.ts';
import { hasWorkletSound, WorkletOutput, type SoundOutput } from '../media/worklet-output.ts';
import { createRenderer, type RendererChoice } from '../render/create-renderer.ts';
import type { Renderer } from '../render/renderer.ts';
import { localNowMs } from '../transport/clock-sync.ts';
import { Store } from '../ui/store.ts';
import { INITIAL_STATE, type PlayerState } from './player-state.ts';
import { startDecodeWorker } from './start-decode-worker.ts';

/** What the address of the page asks for. */
export type PlayerOptions = {
  readonly stream: string;
  readonly rendition: string;
  readonly decoder: DecoderChoice;
  readonly renderer: RendererChoice;
  /** Keep how every picture was coded, for the inspector (with our own decoder). Default false. */
  readonly inspect?: boolean;
  /** Where the server is, such as `https://live.example`. Default: the origin of the page. */
  readonly origin?: string;
};

/** The last painted picture before colour conversion, as `window.tessera.frame()` gives it. */
export type FrameCopy = {
  readonly ptsUs: number;
  readonly width: number;
  readonly height: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
};

type OpenSound = { readonly output: SoundOutput; readonly port: MessagePort; readonly route: AudioRoute };

/** Plays one stream on one canvas. */
export class Player {
  readonly state = new Store<PlayerState>(INITIAL_STATE);
  readonly #worker: Worker;
  readonly #pageRenderer: Renderer | null;
  readonly #listeners = new Set<(painting: Painting) => void>();
  #lastPicture: Picture | null = null;
  #lastPainting: Painting | null = null;
  #sound: SoundOutput | null = null;

  constructor(canvas: HTMLCanvasElement, options: PlayerOptions, worker = startDecodeWorker()) {
    this.#worker = worker;
    this.#worker.onmessage = (event: MessageEvent<FromDecodeWorker>) => this.#onMessage(event.data);
    this.#worker.onerror = () => this.#fail('The player could not be loaded. Reload the page to try again.');
    const surface = 'transferControlToOffscreen' in canvas ? canvas.transferControlToOffscreen() : null;
    const { stream, rendition, decoder, renderer } = options;
    this.#pageRenderer = surface === null ? createRenderer(canvas, options.renderer) : null;
    this.#send(
      {
        type: 'start',
        origin: options.origin ?? location.origin,
        stream,
        rendition,
        decoder,
        renderer,
        inspect: options.inspect === true,
        hasWebCodecs: typeof VideoDecoder === 'function',
        openedAtMs: performance.timeOrigin,
        ...(surface === null ? {} : { canvas: surface }),
      },
      surface === null ? [] : [surface],
    );
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    window.addEventListener('online', () => this.#send({ type: 'online' }));
    this.#onVisibility();
  }

  /** The worker's numbers, with the latency of the very picture that frame() gives. */
  stats(): PlaybackStats {
    const { stats } = this.state.value;
    return this.#lastPainting === null ? stats : { ...stats, latencyMs: this.#lastPainting.latencyMs };
  }

  /** Calls back for each painted picture; returns the function that stops it. */
  onPainted(listener: (painting: Painting) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A copy of the last painted picture, or null before the first. */
  frame(): FrameCopy | null {
    const picture = this.#lastPicture;
    if (picture === null) {
      return null;
    }
    const { y, u, v } = planesOf(picture);
    const { ptsUs, width, height } = picture;
    return { ptsUs, width, height, y: y.slice(), u: u.slice(), v: v.slice() };
  }

  /** The last painted picture with how it was coded; valid until the next one is painted. Null where that is not known. */
  inspected(): Picture | null {
    return this.#lastPicture?.inspection === undefined ? null : this.#lastPicture;
  }

  select(rendition: string): void {
    this.#send({ type: 'select', rendition });
  }

  togglePause(): void {
    if (this.state.value.status.kind === 'paused') {
      this.goLive();
    } else {
      this.#send({ type: 'pause' });
    }
  }

  /** Back to the newest picture. */
  goLive(): void {
    this.#send({ type: 'resume' });
  }

  /** Must come from a user's gesture to be heard. */
  async setSound(isOn: boolean): Promise<void> {
    const track = this.state.value.audioTrack;
    this.#sound?.close();
    this.#sound = null;
    this.#send({ type: 'sound-off' });
    this.state.patch({ isSoundOn: isOn && track !== null, soundProblem: null });
    if (!isOn || track === null) {
      return;
    }
    try {
      const { output, port, route } = await this.#openSound(track);
      if (!this.state.value.isSoundOn) {
        output.close();
        return;
      }
      this.#sound = output;
      output.setVolume(this.state.value.volume);
      this.#send({ type: 'sound-on', port, route }, [port]);
    } catch (error) {
      this.state.patch({ isSoundOn: false, soundProblem: error instanceof Error ? error.message : String(error) });
    }
  }

  toggleSound(): void {
    void this.setSound(!this.state.value.isSoundOn);
  }

  setVolume(volume: number): void {
    this.state.patch({ volume });
    this.#sound?.setVolume(volume);
  }

  async #openSound(track: AudioTrackConfig): Promise<OpenSound> {
    const onLatency = (ms: number) => this.#send({ type: 'output-latency', ms });
    if (hasWorkletSound()) {
      return { ...(await WorkletOutput.create(track.sampleRate, track.channels, onLatency)), route: 'pcm' };
    }
    const { MediaSourceOutput } = await import('../media/media-source-output.ts');
    return { ...(await MediaSourceOutput.create(track, onLatency)), route: 'encoded' };
  }

  #onMessage(message: FromDecodeWorker): void {
    switch (message.type) {
      case 'painted':
        this.#onPicture(message.picture, message.painting);
        break;
      case 'status':
        this.state.patch({ status: message.status });
        break;
      case 'stats':
        this.state.patch({ stats: message.stats });
        break;
      case 'menu':
        this.state.patch({ menu: message.menu });
        break;
      case 'audio-track':
        this.#onAudioTrack(message.config);
        break;
      case 'failed':
        this.#fail(message.sentence);
        break;
    }
  }

  #onPicture(picture: Picture, painting: Painting): void {
    this.#lastPainting = this.#paint(picture, painting);
    const previous = this.#lastPicture;
    this.#lastPicture = picture;
    if (previous !== null) {
      this.#send({ type: 'release', buffer: previous.buffer }, [previous.buffer]);
    }
    const { width, height } = displaySize(picture);
    const aspect = width / height;
    if (!this.state.value.hasPicture || this.state.value.aspect !== aspect) {
      this.state.patch({ hasPicture: true, aspect });
    }
    this.#listeners.forEach((listener) => listener(this.#lastPainting ?? painting));
  }

  // Where the page draws itself, the picture is painted only now.
  #paint(picture: Picture, painting: Painting): Painting {
    if (this.#pageRenderer === null) {
      return painting;
    }
    this.#pageRenderer.draw(picture);
    const paintedAtMs = localNowMs();
    const later = paintedAtMs - painting.paintedAtMs;
    const { latencyMs, stages } = painting;
    return {
      ...painting,
      paintedAtMs,
      latencyMs: latencyMs === null ? null : latencyMs + later,
      stages: stages === null ? null : { ...stages, draw: stages.draw + later },
    };
  }

  #onAudioTrack(config: AudioTrackConfig | null): void {
    const before = this.state.value.audioTrack;
    this.state.patch({ audioTrack: config });
    const isSame = (['codec', 'sampleRate', 'channels'] as const).every((field) => before?.[field] === config?.[field]);
    if (this.state.value.isSoundOn && !isSame) {
      void this.setSound(true);
    }
  }

  #onVisibility(): void {
    this.#send({ type: 'hidden', isHidden: document.visibilityState === 'hidden' });
  }

  #fail(sentence: string): void {
    this.state.patch({ status: { kind: 'unsupported', sentence } });
  }

  #send(message: ToDecodeWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
