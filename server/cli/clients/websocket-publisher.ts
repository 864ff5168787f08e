// A publisher over `tessera.1` (docs/protocol.md): hello with the key, clock exchange, tracks, objects. Used by `tessera publish`,
// and usable by any program of Node that has access units or raw I420 pictures.

import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { AccessUnit, TrackConfig } from '../../../shared/media/access-unit.ts';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import type { I420Frame } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { Microseconds } from '../../../shared/media/time.ts';
import { encodeControl, parseControl } from '../../../shared/protocol/control-message.ts';
import { encodeObject } from '../../../shared/protocol/object-header.ts';
import type { ObjectKind } from '../../../shared/protocol/object-header.ts';
import { TO_PUBLISHER } from '../../../shared/protocol/publisher-messages.ts';
import type { FromPublisher, ToPublisher } from '../../../shared/protocol/publisher-messages.ts';
import { CLOSE_NORMAL, peerErrorOfClose, SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { RAW_CODEC, trackConfigToWire } from '../../../shared/protocol/track-message.ts';
import { ClockOffset } from './clock-offset.ts';
import { refusalOf, sentenceOfClose } from './websocket-refusal.ts';

const STEP_TIMEOUT_MS = 10_000;
/** More waiting than this, and `drained` holds the source back. */
const HIGH_WATER_BYTES = 8_000_000;
const CLOCK_EVERY_MS = 5000;

export type WebSocketPublisherOptions = {
  readonly url: string;
  readonly key: string;
  readonly agent?: string;
  /** Somebody needs a key frame on this track soon. */
  readonly onKeyframeWanted?: (track: string) => void;
};

type OpenTrack = { readonly id: number; readonly kind: ObjectKind; group: number; object: number };

export class WebSocketPublisher {
  readonly #socket: WebSocket;
  readonly #clock = new ClockOffset();
  readonly #tracks = new Map<string, OpenTrack>();
  readonly #onKeyframeWanted: (track: string) => void;
  #welcome: Extract<ToPublisher, { type: 'welcome' }> | null = null;
  #failure: Error | null = null;
  #listeners: (() => void)[] = [];
  #clockTimer: NodeJS.Timeout | null = null;
  #acknowledged = { objects: 0, bytes: 0, viewers: 0 };

  private constructor(socket: WebSocket, options: WebSocketPublisherOptions) {
    this.#socket = socket;
    this.#onKeyframeWanted = options.onKeyframeWanted ?? (() => undefined);
    socket.on('message', (data, isBinary) => {
      try {
        this.#receive(data, isBinary);
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
        socket.terminate();
      }
    });
    socket.on('unexpected-response', (_request, response) => {
      void refusalOf(response).then((error) => this.#fail(error));
    });
    socket.on('error', (error) => this.#fail(new PeerClosedError(`The connection broke: ${error.message}.`)));
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()));
  }

  /** Connects and waits for the welcome. Rejects with ProtocolError when refused, PeerClosedError when the connection fails. */
  static async connect(options: WebSocketPublisherOptions): Promise<WebSocketPublisher> {
    const socket = new WebSocket(options.url, SUBPROTOCOL, {
      perMessageDeflate: false,
      handshakeTimeout: STEP_TIMEOUT_MS,
    });
    const publisher = new WebSocketPublisher(socket, options);
    socket.on('open', () => {
      const agent = options.agent === undefined ? {} : { agent: options.agent };
      publisher.#send({ type: 'hello', role: 'publish', key: options.key, ...agent });
    });
    try {
      await publisher.#until('the welcome', () => publisher.#welcome !== null);
      await publisher.#exchangeClocks();
    } catch (error) {
      socket.terminate();
      throw error;
    }
    return publisher;
  }

  /** Epoch of the stream that this publisher opened. */
  get epoch(): number {
    return this.#welcome?.epoch ?? 0;
  }

  /** What the server last acknowledged. */
  get acknowledged(): { readonly objects: number; readonly bytes: number; readonly viewers: number } {
    return this.#acknowledged;
  }

  /** The server's wall clock now, Unix epoch microseconds. */
  now(): Microseconds {
    return microseconds(Math.round(this.#clock.serverNow() * 1000));
  }

  /** Announces a track or its change. A raw track has codec `raw/i420`. */
  setTrack(name: string, config: TrackConfig): void {
    const kind: ObjectKind = config.codec === RAW_CODEC ? 'raw' : config.kind;
    const known = this.#tracks.get(name);
    const track = known?.kind === kind ? known : { id: known?.id ?? this.#tracks.size, kind, group: -1, object: 0 };
    this.#tracks.set(name, track);
    this.#send({ type: 'track', id: track.id, name, config: trackConfigToWire(config) });
  }

  /** Sends one unit of an announced track. Throws what ended the connection. */
  push(name: string, unit: AccessUnit): void {
    this.#pushObject(name, unit, unit.data);
  }

  /** Sends one picture of the raw track `video`, packed. */
  pushFrame(frame: I420Frame): void {
    const captureTime = this.now();
    const { timestamp } = frame;
    this.#pushObject(
      'video',
      { priority: 'key', pts: timestamp, dts: timestamp, captureTime, arrivalTime: microseconds(0) },
      packFrame(frame),
    );
  }

  /** Resolves when less than the high-water mark waits to be sent. Rejects when the connection is over. */
  async drained(): Promise<void> {
    this.#throwIfOver();
    while (this.#socket.bufferedAmount > HIGH_WATER_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.#throwIfOver();
    }
  }

  /** Says goodbye: the stream ends. Resolves when the connection is closed. */
  async close(): Promise<void> {
    clearInterval(this.#clockTimer ?? undefined);
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return;
    }
    this.#send({ type: 'end' });
    const gone = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.close(CLOSE_NORMAL);
    const timer = setTimeout(() => this.#socket.terminate(), 2000);
    await gone;
    clearTimeout(timer);
  }

  /** Drops the connection without a word. */
  destroy(): void {
    clearInterval(this.#clockTimer ?? undefined);
    this.#socket.terminate();
  }

  #throwIfOver(): void {
    if (this.#failure !== null) {
      throw this.#failure;
    }
  }

  #pushObject(name: string, unit: Omit<AccessUnit, 'data'>, payload: Uint8Array): void {
    this.#throwIfOver();
    const track = this.#tracks.get(name);
    if (track === undefined) {
      throw new TypeError(`The track "${name}" was not announced.`);
    }
    if (unit.priority === 'key' || track.group < 0) {
      track.group += 1;
      track.object = 0;
    }
    const header = {
      kind: track.kind,
      trackId: track.id,
      priority: unit.priority,
      isCached: false,
      temporalLayer: 0,
      group: track.group,
      object: track.object,
      pts: unit.pts,
      dts: unit.dts,
      arrivalTime: microseconds(0),
      ...(unit.captureTime === undefined ? {} : { captureTime: unit.captureTime }),
    };
    track.object += 1;
    this.#socket.send(encodeObject(header, payload));
  }

  #send(message: FromPublisher): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(encodeControl(message));
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      return;
    }
    const message = parseControl(TO_PUBLISHER, bytesOf(data).toString());
    switch (message?.type) {
      case 'welcome':
        this.#welcome = message;
        break;
      case 'ack':
        this.#acknowledged = { objects: message.objects, bytes: message.bytes, viewers: message.viewers };
        break;
      case 'keyframe':
        this.#onKeyframeWanted(message.track);
        break;
      case 'clock':
        this.#clock.add(message);
        break;
      case 'error':
      case undefined:
        break; // the close that follows has the code; unknown messages are from newer servers
    }
    this.#listeners.forEach((listener) => listener());
  }

  async #exchangeClocks(): Promise<void> {
    const ask = (): void => this.#send({ type: 'clock', t0: this.#clock.now() });
    for (let i = 1; i <= 3; i++) {
      ask();
      await this.#until('the clock', () => this.#clock.samples >= i);
    }
    this.#clockTimer = setInterval(ask, CLOCK_EVERY_MS);
    this.#clockTimer.unref();
  }

  #until(what: string, isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter((listener) => listener !== check);
        settle();
      };
      const check = (): void => {
        const failure = this.#failure;
        if (failure !== null) {
          finish(() => reject(failure));
        } else if (isDone()) {
          finish(resolve);
        }
      };
      const late = new PeerClosedError(`The server did not send ${what} within ${STEP_TIMEOUT_MS / 1000} s.`);
      const timer = setTimeout(() => finish(() => reject(late)), STEP_TIMEOUT_MS);
      this.#listeners.push(check);
      check();
    });
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#clockTimer ?? undefined);
    const refusal = peerErrorOfClose(code);
    this.#fail(
      refusal === null
        ? new PeerClosedError(`The server closed the connection (${code}${reason === '' ? '' : `, ${reason}`}).`)
        : new ProtocolError(refusal, sentenceOfClose(refusal, reason)),
    );
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#listeners.forEach((listener) => listener());
  }
}

/** A message's bytes, whatever form `ws` gives them. */
export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) {
    return Buffer.concat(data);
  }
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Y, U and V without padding. */
function packFrame({ width, height, y, u, v }: I420Frame): Uint8Array {
  const packed = new Uint8Array(i420ByteLength(width, height));
  let at = 0;
  for (const plane of [y, u, v]) {
    for (let row = 0; row < plane.height; row++) {
      packed.set(plane.data.subarray(row * plane.stride, row * plane.stride + plane.width), at);
      at += plane.width;
    }
  }
  return packed;
}
