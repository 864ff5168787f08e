// One viewer from address to picture: keeps a connection to /subscribe/STREAM (again and again), hands objects to the video and audio
// pipelines, turns what happens into one status for the page, and reports to the server what the viewer sees. Runs in the decode worker.

import {
  TO_VIEWER,
  type RenditionInfo,
  type ToViewer,
  type ViewerState,
} from '../../shared/protocol/viewer-messages.ts';
import { trackConfigFromWire } from '../../shared/protocol/track-message.ts';
import type { WireObject } from '../../shared/protocol/object-header.ts';
import type { PeerErrorCode } from '../../shared/errors.ts';
import type { Renderer } from '../render/renderer.ts';
import { subscribeUrl } from '../transport/addresses.ts';
import { ClockSync, localNowMs } from '../transport/clock-sync.ts';
import { Backoff, LOST_BACKOFF, WAITING_BACKOFF } from '../transport/reconnect.ts';
import { WebSocketConnection, type CloseReason } from '../transport/websocket-connection.ts';
import { AudioPipeline } from './audio-pipeline.ts';
import type { FromDecodeWorker, PlaybackRequest, PlaybackStats, PlaybackStatus } from './decode-messages.ts';
import { PictureBuffers } from './picture.ts';
import { PlaybackCounters } from './playback-counters.ts';
import { PlayoutClock } from './playout-clock.ts';
import { VideoPipeline } from './video-pipeline.ts';

type Welcome = Extract<ToViewer, { type: 'welcome' }>;
type Track = Extract<ToViewer, { type: 'track' }>;

const REPORT_EVERY_MS = 1000;
const STATS_EVERY_MS = 100;
const IDLE_BUFFERS = 8;
const RENDITION_PATIENCE_MS = 32_000; // the server gives a rendition up before

/** Refusals after which the same request would only be refused again. */
const FINAL_REFUSALS: readonly PeerErrorCode[] = ['malformed', 'wrong-key', 'too-big', 'unsupported-codec'];

/** Tells the page; `transfer` moves buffers. */
export type Tell = (message: FromDecodeWorker, transfer?: Transferable[]) => void;

/** From construction to close(). */
export class PlaybackSession {
  readonly #request: PlaybackRequest;
  readonly #tell: Tell;
  readonly #renderer: Renderer | null;
  readonly #serverClock = new ClockSync();
  readonly #clock = new PlayoutClock();
  readonly #counters = new PlaybackCounters(localNowMs());
  readonly #buffers = new PictureBuffers(IDLE_BUFFERS);
  readonly #backoff = new Backoff();
  readonly #video: VideoPipeline;
  readonly #audio = new AudioPipeline(this.#clock);
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #connection: WebSocketConnection<typeof TO_VIEWER> | null = null;
  /** Of the newest connection that was welcomed; the next one replaces it. */
  #session: string | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #rendition: string;
  #renditions: readonly RenditionInfo[] = [];
  #reason: string | null = null;
  #state: ViewerState | null = null;
  #viewers = 0;
  #status: PlaybackStatus = { kind: 'connecting' };
  #isPaused = false;
  #isUnsupported = false;
  /** The source cannot be decoded here since then, ms; what was asked for may still come. */
  #unsupportedSince: number | null = null;
  #isRetrying = false;
  #joinFrom: number;
  #joinMs: number | null = null;

  /** What `createRenderer` throws when the canvas cannot be painted on is passed on; then nothing is left open. */
  constructor(request: PlaybackRequest, createRenderer: () => Renderer | null, tell: Tell) {
    this.#request = request;
    this.#tell = tell;
    this.#rendition = request.rendition;
    this.#joinFrom = request.openedAtMs;
    this.#connect(); // first: a renderer takes as long to make as the server to answer
    try {
      this.#renderer = createRenderer();
    } catch (error) {
      this.#connection?.close();
      throw error;
    }
    this.#video = new VideoPipeline(
      {
        renderer: this.#renderer,
        clock: this.#clock,
        serverClock: this.#serverClock,
        counters: this.#counters,
        buffers: this.#buffers,
        events: {
          onJoined: (nowMs) => this.#onJoined(nowMs),
          onPainted: (picture, painting) => this.#tell({ type: 'painted', picture, painting }, [picture.buffer]),
          onUnsupported: (sentence) => this.#onUnsupported(sentence),
          onLoss: (loss) => this.#connection?.send({ type: 'loss', ...loss }),
        },
      },
      { choice: request.decoder, inspect: request.inspect, hasWebCodecs: request.hasWebCodecs, avoidWebCodecs: false },
    );
    this.#timers.push(setInterval(() => this.#report(), REPORT_EVERY_MS));
    this.#timers.push(setInterval(() => this.#tellStats(), STATS_EVERY_MS));
  }

  get audio(): AudioPipeline {
    return this.#audio;
  }

  /** Another rendition from the menu; the picture goes on until the new one begins. */
  select(rendition: string): void {
    this.#rendition = rendition;
    this.#joinFrom = localNowMs();
    this.#isUnsupported = false;
    this.#unsupportedSince = null;
    this.#video.expectJoin();
    if (this.#connection === null) {
      this.#connectNow();
    } else {
      this.#connection.send({ type: 'select', rendition });
    }
    this.#tellMenu();
  }

  /** Stops painting and sound; the connection stays, so that resume() is at the live edge at once. */
  pause(): void {
    this.#isPaused = true;
    this.#video.setPaused(true);
    this.#audio.flush();
    this.#updateStatus();
  }

  resume(): void {
    this.#isPaused = false;
    this.#clock.reset();
    this.#video.setPaused(false);
    this.#updateStatus();
    if (this.#connection === null) {
      this.#connectNow();
    }
  }

  setHidden(isHidden: boolean): void {
    this.#video.setHidden(isHidden);
    if (!isHidden) {
      this.wake();
    }
  }

  /** After the tab, the device or the network slept: a dead connection is found and replaced at once. */
  wake(): void {
    if (this.#isRetrying) {
      this.#connectNow();
    } else {
      this.#connection?.probe();
    }
  }

  /** The page is done with a painted picture's buffer. */
  release(buffer: ArrayBuffer): void {
    this.#buffers.give(buffer);
  }

  close(): void {
    this.#timers.forEach((timer) => clearInterval(timer));
    clearTimeout(this.#retryTimer);
    this.#connection?.close();
    this.#video.close();
    this.#audio.close();
  }

  #connectNow(): void {
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  #connect(): void {
    this.#isRetrying = false;
    const url = subscribeUrl(this.#request.origin, this.#request.stream, {
      rendition: this.#rendition,
      flushClass: 'realtime',
      ...(this.#session === null ? {} : { after: this.#session }),
    });
    this.#connection = new WebSocketConnection(url, TO_VIEWER, this.#serverClock, {
      onControl: (message) => this.#onControl(message),
      onObjects: (objects, receivedAt) => this.#onObjects(objects, receivedAt),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  #onControl(message: ToViewer): void {
    switch (message.type) {
      case 'welcome':
        this.#onWelcome(message);
        break;
      case 'track':
        this.#onTrack(message);
        break;
      case 'state':
        this.#viewers = message.viewers;
        this.#onState(message.state);
        break;
      case 'clock':
      case 'error':
        break; // the connection keeps these to itself
    }
  }

  #onWelcome(welcome: Welcome): void {
    const isNewConnection = this.#state === null;
    const hadOurs = this.#renditions.some((rendition) => rendition.encoder === 'tessera');
    this.#session = welcome.session;
    this.#renditions = welcome.renditions;
    this.#reason = welcome.reason ?? null;
    if (isNewConnection) {
      this.#backoff.succeeded();
      this.#video.rejoin();
    }
    this.#onState(welcome.state);
    this.#tellMenu();
    // What `auto` stands for came to be only now.
    const hasOurs = welcome.renditions.some((rendition) => rendition.encoder === 'tessera');
    if (!isNewConnection && this.#rendition === 'auto' && hasOurs && !hadOurs) {
      this.#connection?.send({ type: 'select', rendition: 'auto' });
    }
  }

  #onState(state: ViewerState): void {
    if (state !== 'live') {
      this.#counters.interrupted();
    }
    this.#state = state;
    this.#updateStatus();
  }

  #onTrack(track: Track): void {
    const config = trackConfigFromWire(track.config);
    if (config.kind === 'video') {
      this.#isUnsupported = false;
      const { id, rendition, encoder, latencyKind } = track;
      this.#video.setTrack({ id, rendition, encoder, latencyKind, config });
      this.#tellMenu();
      return;
    }
    this.#audio.setTrack(track.id, config);
    this.#tell({ type: 'audio-track', config });
  }

  #onObjects(objects: readonly WireObject[], receivedAt: number): void {
    for (const object of objects) {
      if (!object.isCached) {
        this.#counters.received(receivedAt, object.payload.length);
      }
      if (object.kind === 'video') {
        this.#video.push(object, receivedAt);
      } else if (object.kind === 'audio' && !this.#isPaused) {
        this.#audio.push(object);
      }
    }
  }

  #onJoined(nowMs: number): void {
    this.#joinMs = Math.max(0, nowMs - this.#joinFrom); // the two clocks were not started together
    this.#unsupportedSince = null;
    this.#updateStatus();
    this.#tellMenu();
  }

  #onUnsupported(sentence: string): void {
    if (this.#isOtherRenditionComing()) {
      return;
    }
    this.#isUnsupported = true;
    const offer = this.#reason === null ? '' : ` ${this.#reason}`;
    this.#setStatus({ kind: 'unsupported', sentence: `${sentence}${offer}` });
  }

  // The server shows the source until the rendition that was asked for has a picture: that one may be decoded here.
  #isOtherRenditionComing(): boolean {
    const playing = this.#video.track?.rendition;
    const ours = this.#renditions.filter((rendition) => rendition.encoder === 'tessera').map(({ name }) => name);
    const wanted = this.#rendition === 'auto' ? ours : ours.filter((name) => name === this.#rendition);
    const nowMs = localNowMs();
    this.#unsupportedSince ??= nowMs;
    return playing === 'source' && wanted.length > 0 && nowMs - this.#unsupportedSince < RENDITION_PATIENCE_MS;
  }

  #onClose(reason: CloseReason): void {
    this.#connection = null;
    this.#state = null;
    this.#counters.interrupted();
    this.#joinFrom = localNowMs();
    const { code } = reason;
    if (code === 'no-such-stream') {
      this.#setStatus({ kind: 'waiting', sentence: 'This stream is not live yet. It starts here as soon as it is.' });
      this.#retryAfter(this.#backoff.next(WAITING_BACKOFF));
    } else if (code === 'ended') {
      this.#setStatus({ kind: 'ended', sentence: 'The stream has ended.' });
      this.#retryAfter(this.#backoff.next(WAITING_BACKOFF));
    } else if (code !== null && FINAL_REFUSALS.includes(code)) {
      const kind = code === 'unsupported-codec' ? 'unsupported' : 'refused';
      this.#setStatus(
        kind === 'refused' ? { kind, code, sentence: reason.sentence } : { kind, sentence: reason.sentence },
      );
    } else {
      this.#setStatus(
        code === null
          ? { kind: 'reconnecting', sentence: 'The connection to the server was lost. Trying again.' }
          : { kind: 'refused', code, sentence: reason.sentence },
      );
      this.#retryAfter(this.#backoff.next(LOST_BACKOFF));
    }
  }

  #retryAfter(delayMs: number): void {
    clearTimeout(this.#retryTimer);
    this.#isRetrying = true;
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
  }

  #updateStatus(): void {
    const state = this.#state;
    if (state === null || (this.#isUnsupported && state !== 'ended')) {
      return;
    }
    if (state === 'ended') {
      this.#setStatus({ kind: 'ended', sentence: 'The stream has ended.' });
    } else if (state === 'reconnecting') {
      this.#setStatus({
        kind: 'reconnecting',
        sentence: 'The streamer lost the connection. Waiting for them to return.',
      });
    } else if (this.#isPaused) {
      this.#setStatus({ kind: 'paused' });
    } else if (state === 'stalled') {
      this.#setStatus({ kind: 'stalled', sentence: 'No picture from the streamer at the moment.' });
    } else if (this.#counters.totals.painted === 0) {
      this.#setStatus({ kind: 'connecting' });
    } else {
      this.#setStatus({ kind: 'playing' });
    }
  }

  #setStatus(status: PlaybackStatus): void {
    if (JSON.stringify(status) !== JSON.stringify(this.#status)) {
      this.#status = status;
      this.#tell({ type: 'status', status });
    }
  }

  #tellMenu(): void {
    this.#tell({
      type: 'menu',
      menu: {
        renditions: this.#renditions,
        current: this.#rendition === 'auto' ? 'auto' : (this.#video.track?.rendition ?? this.#rendition),
        reason: this.#reason,
      },
    });
  }

  #tellStats(): void {
    this.#tell({ type: 'stats', stats: this.#stats() });
  }

  #stats(): PlaybackStats {
    const nowMs = localNowMs();
    const track = this.#video.track;
    const { painted, dropped, decodeErrors, stalls, stalledMs } = this.#counters.totals;
    return {
      decoder: this.#video.decoderKind,
      encoder: track?.encoder ?? null,
      rendition: track?.rendition ?? null,
      codec: track?.config.codec ?? null,
      width: track?.config.width ?? 0,
      height: track?.config.height ?? 0,
      fps: this.#counters.fps(nowMs),
      painted,
      dropped,
      decodeErrors,
      bufferMs: this.#clock.bufferMs,
      latencyMs: this.#counters.lastLatencyMs,
      latencyMedianMs: this.#counters.latencyMedianMs(),
      latencyStages: this.#counters.latencyStages(),
      latencyKind: track?.latencyKind ?? null,
      joinMs: this.#joinMs,
      audio: this.#audio.stats(),
      bitrateKbps: this.#counters.bitrateKbps(nowMs),
      stalls,
      stalledMs,
      rttMs: this.#serverClock.rttMs,
      viewers: this.#viewers,
      renderer: this.#renderer?.kind ?? null,
    };
  }

  /** What only some players can measure: the stages of latency, and how the sound is. */
  #optionalReport() {
    const stagesMs = this.#counters.latencyStages();
    const skewMs = this.#audio.stats()?.skewMs ?? null;
    const clippedShare = this.#audio.takeClippedShare();
    return {
      ...(stagesMs === null ? {} : { stagesMs }),
      ...(skewMs === null ? {} : { avSkewMs: Math.round(skewMs) }),
      ...(clippedShare === null ? {} : { clippedShare }),
    };
  }

  #report(): void {
    const nowMs = localNowMs();
    const track = this.#video.track;
    if (this.#connection === null || track === null) {
      return;
    }
    this.#connection.send({
      type: 'report',
      ts: Math.round(this.#serverClock.toServerMs(nowMs)),
      rendition: track.rendition,
      ...this.#counters.takeInterval(nowMs),
      bufferMs: this.#clock.bufferMs,
      latencyKind: track.latencyKind,
      ...this.#optionalReport(),
      ...(this.#joinMs === null ? {} : { joinMs: this.#joinMs }),
    });
  }
}
