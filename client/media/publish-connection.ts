// The studio's connection to /publish/STREAM: hello with the key, tracks before their objects, reconnects without losing the stream, and
// tells what the server acknowledges. Objects that cannot be sent now are dropped: live pictures are not worth keeping.

import type { TrackConfig } from '../../shared/media/access-unit.ts';
import { microseconds } from '../../shared/media/time.ts';
import { encodeObject } from '../../shared/protocol/object-header.ts';
import { TO_PUBLISHER, type ToPublisher } from '../../shared/protocol/publisher-messages.ts';
import { trackConfigToWire } from '../../shared/protocol/track-message.ts';
import { publishUrl } from '../transport/addresses.ts';
import type { ClockSync } from '../transport/clock-sync.ts';
import { Backoff, PUBLISHER_BACKOFF } from '../transport/reconnect.ts';
import { WebSocketConnection, type CloseReason } from '../transport/websocket-connection.ts';
import type { PublishStatus } from './encode-messages.ts';

/** The two tracks of a studio. */
const STUDIO_TRACKS = { video: 1, audio: 2 } as const;
export type StudioTrack = keyof typeof STUDIO_TRACKS;

/** One unit on its way to the server. */
export type OutgoingUnit = {
  readonly track: StudioTrack;
  readonly isKey: boolean;
  readonly ptsUs: number;
  readonly captureTimeUs: number | null;
  readonly data: Uint8Array;
};

/** What the owner is told. */
export type PublishConnectionEvents = {
  readonly onStatus: (status: PublishStatus) => void;
  /** Welcome: the next picture must be a key picture. */
  readonly onReady: () => void;
  readonly onKeyframeWanted: () => void;
  /** By the server's clock it had so many bytes at `atMs`. */
  readonly onAcknowledged: (bytes: number, atMs: number, viewers: number) => void;
};

/** From construction to end() or a final refusal. */
export class PublishConnection {
  readonly #address: string;
  readonly #key: string;
  readonly #clock: ClockSync;
  readonly #events: PublishConnectionEvents;
  readonly #backoff = new Backoff();
  readonly #configs = new Map<StudioTrack, TrackConfig>();
  #connection: WebSocketConnection<typeof TO_PUBLISHER> | null = null;
  #isReady = false;
  #isOver = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #hasKey = false;
  #group = 0;
  #objects: Record<StudioTrack, number> = { video: 0, audio: 0 };

  constructor(origin: string, stream: string, key: string, clock: ClockSync, events: PublishConnectionEvents) {
    this.#address = publishUrl(origin, stream);
    this.#key = key;
    this.#clock = clock;
    this.#events = events;
    this.#connect();
  }

  /** Announces a track, now and after each reconnect. */
  setTrack(track: StudioTrack, config: TrackConfig): void {
    this.#configs.set(track, config);
    if (this.#isReady) {
      this.#sendTrack(track, config);
    }
  }

  /** Sends a unit; returns the bytes that went to the socket, 0 when it was dropped. */
  send(unit: OutgoingUnit): number {
    if (!this.#isReady || !this.#configs.has(unit.track) || (unit.track === 'video' && !this.#hasKey && !unit.isKey)) {
      return 0;
    }
    if (unit.track === 'video' && unit.isKey) {
      this.#hasKey = true;
      this.#group += 1;
      this.#objects.video = 0;
    }
    const message = encodeObject(
      {
        kind: unit.track,
        trackId: STUDIO_TRACKS[unit.track],
        priority: unit.isKey || unit.track === 'audio' ? 'key' : 'reference',
        isCached: false,
        temporalLayer: 0,
        group: this.#group,
        object: this.#objects[unit.track],
        pts: microseconds(Math.round(unit.ptsUs)),
        dts: microseconds(Math.round(unit.ptsUs)),
        arrivalTime: microseconds(0),
        ...(unit.captureTimeUs === null ? {} : { captureTime: microseconds(Math.round(unit.captureTimeUs)) }),
      },
      unit.data,
    );
    this.#objects[unit.track] += 1;
    this.#connection?.sendBytes(message as Uint8Array<ArrayBuffer>);
    return message.length;
  }

  /** Goodbye: the stream ends for its viewers. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#retryTimer);
    this.#connection?.send({ type: 'end' });
    this.#connection?.close();
    this.#connection = null;
    this.#isReady = false;
    this.#events.onStatus({ kind: 'ended' });
  }

  #connect(): void {
    this.#isReady = false;
    this.#hasKey = false;
    this.#connection = new WebSocketConnection(this.#address, TO_PUBLISHER, this.#clock, {
      onOpen: () => this.#connection?.send({ type: 'hello', role: 'publish', key: this.#key, agent: 'tessera-studio' }),
      onControl: (message) => this.#onControl(message),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  #onControl(message: ToPublisher): void {
    switch (message.type) {
      case 'welcome':
        this.#backoff.succeeded();
        this.#isReady = true;
        this.#configs.forEach((config, track) => this.#sendTrack(track, config));
        this.#events.onStatus({ kind: 'live' });
        this.#events.onReady();
        break;
      case 'ack':
        this.#events.onAcknowledged(message.bytes, message.at, message.viewers);
        break;
      case 'keyframe':
        this.#events.onKeyframeWanted();
        break;
      case 'clock':
      case 'error':
        break; // the connection keeps these to itself
    }
  }

  #sendTrack(track: StudioTrack, config: TrackConfig): void {
    this.#connection?.send({ type: 'track', id: STUDIO_TRACKS[track], name: track, config: trackConfigToWire(config) });
  }

  #onClose(reason: CloseReason): void {
    this.#connection = null;
    this.#isReady = false;
    const isFinal = reason.code !== null && !['busy', 'overloaded', 'timeout'].includes(reason.code);
    if (this.#isOver) {
      return;
    }
    if (isFinal) {
      this.#isOver = true;
      this.#events.onStatus({ kind: 'refused', sentence: reason.sentence });
      return;
    }
    const sentence =
      reason.code === null ? 'The connection was lost. Trying again.' : `${reason.sentence} Trying again.`;
    this.#events.onStatus({ kind: 'reconnecting', sentence });
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backoff.next(PUBLISHER_BACKOFF));
  }
}
