// One viewer's video from objects to painted pictures: waits for a key picture, decodes the join burst to the live edge (unpainted but
// for its key picture, which the viewer sees at once where there was nothing before), holds pictures in the jitter buffer until the
// playout clock says they are due, and draws them. Bounds: decoder backlog (then to the next key picture) and picture queue. Runs in the decode worker; playback-session.ts feeds it.

import type { EncodedBy, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { WireObject } from '../../shared/protocol/object-header.ts';
import type { Renderer } from '../render/renderer.ts';
import type { ClockSync } from '../transport/clock-sync.ts';
import { localNowMs } from '../transport/clock-sync.ts';
import type { LatencyStages, Painting } from './decode-messages.ts';
import { PaintLoop } from './paint-loop.ts';
import type { PictureBuffers, Picture } from './picture.ts';
import type { PictureDecoder } from './picture-decoder.ts';
import {
  createPictureDecoder,
  isOurCodec,
  UnsupportedTrackError,
  type DecoderSituation,
} from './picture-decoder-choice.ts';
import { PictureQueue } from './picture-queue.ts';
import type { PlaybackCounters } from './playback-counters.ts';
import type { PlayoutClock } from './playout-clock.ts';

/** A video track as the server announced it. */
export type VideoTrack = {
  readonly id: number;
  readonly rendition: string;
  readonly encoder: EncodedBy;
  readonly latencyKind: 'glass' | 'ingest';
  readonly config: VideoTrackConfig;
};

/** Where the pipeline's results go. */
type VideoPipelineEvents = {
  /** The first picture of a (re)join is on the canvas. */
  readonly onJoined: (nowMs: number) => void;
  readonly onPainted: (picture: Picture, painting: Painting) => void;
  readonly onUnsupported: (sentence: string) => void;
  /** An object could not be used; the server may know better. */
  readonly onLoss: (loss: { readonly track: number; readonly group: number; readonly object: number }) => void;
};

/** What the pipeline works with; owned by the session. */
export type VideoPipelineParts = {
  readonly renderer: Renderer | null;
  readonly clock: PlayoutClock;
  readonly serverClock: ClockSync;
  readonly counters: PlaybackCounters;
  readonly buffers: PictureBuffers;
  readonly events: VideoPipelineEvents;
};

/** An access unit on its way through the decoder; local epoch ms but for `capturedMs`, which is the server's. */
type UnitTimes = {
  readonly capturedMs: number;
  readonly isCached: boolean;
  readonly receivedMs: number;
  decodedMs: number;
};

type ReceivedObject = { readonly object: WireObject; readonly receivedMs: number };

const MAX_BACKLOG = 90; // pictures in the decoder beyond which it is hopelessly behind
const MAX_WAITING_UNITS = 600; // while a decoder is being set up
const MAX_REMEMBERED_UNITS = 900;
const BURST_SETTLE_MS = 60;
const TOLERANCE_MS = 6;
const PATIENCE_MS = 50;
const LATE_MS = 150;

/** The video half of a playback session. */
export class VideoPipeline {
  readonly #parts: VideoPipelineParts;
  readonly #paintLoop = new PaintLoop((nowMs) => this.#tick(nowMs));
  readonly #queue = new PictureQueue<Picture>();
  readonly #times = new Map<number, UnitTimes>();
  #situation: DecoderSituation;
  #tracks = new Map<number, VideoTrack>();
  #current: VideoTrack | null = null;
  #decoder: PictureDecoder | null = null;
  #isPreparing = false;
  #generation = 0;
  #waiting: ReceivedObject[] = [];
  #needsKey = true;
  #newestCachedUs = Number.NEGATIVE_INFINITY;
  /** Key picture of the join burst that an empty canvas shows at once. */
  #openingUs: number | null = null;
  #hasPainted = false;
  #edgePicture: Picture | null = null;
  #edgeTimer: ReturnType<typeof setTimeout> | undefined;
  #hasJoined = false;
  #isHidden = false;
  #isPaused = false;
  #fatalErrors = 0;

  constructor(parts: VideoPipelineParts, situation: DecoderSituation) {
    this.#parts = parts;
    this.#situation = situation;
  }

  /** The track that is being decoded. */
  get track(): VideoTrack | null {
    return this.#current;
  }

  get decoderKind(): PictureDecoder['kind'] | null {
    return this.#decoder?.kind ?? null;
  }

  /** A track appeared or changed; it takes over with its next key picture. */
  setTrack(track: VideoTrack): void {
    this.#tracks.set(track.id, track);
  }

  /** A new connection: tracks will be announced again and begin with a key picture. What is painted stays. */
  rejoin(): void {
    this.#tracks.clear();
    this.#needsKey = true;
    this.#current = null;
    this.#hasJoined = false;
    this.#newestCachedUs = Number.NEGATIVE_INFINITY;
    this.#openingUs = null;
    this.#parts.counters.interrupted();
  }

  /** The next picture is a join of its own (rendition change): its time counts from now. */
  expectJoin(): void {
    this.#hasJoined = false;
  }

  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    this.#paintLoop.isHidden = isHidden;
    this.#paintLoop.cancel();
    this.#parts.counters.interrupted();
    if (!isHidden && this.#queue.length > 0) {
      this.#paintLoop.request();
    }
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#parts.counters.interrupted();
    this.#giveBack(this.#queue.clear());
  }

  /** `receivedMs`: when the page had it, local epoch ms. */
  push(object: WireObject, receivedMs: number): void {
    if (this.#isPreparing) {
      this.#waiting.push({ object, receivedMs });
      if (this.#waiting.length > MAX_WAITING_UNITS) {
        this.#parts.counters.dropped(this.#waiting.length);
        this.#waiting = [];
        this.#needsKey = true;
      }
      return;
    }
    const announced = this.#tracks.get(object.trackId);
    if (announced === undefined) {
      return;
    }
    if (object.priority === 'key' && (announced !== this.#current || this.#decoder === null)) {
      void this.#switchTo(announced, { object, receivedMs });
      return;
    }
    if (announced === this.#current) {
      this.#decode(object, receivedMs);
    }
  }

  close(): void {
    this.#generation += 1;
    this.#paintLoop.cancel();
    clearTimeout(this.#edgeTimer);
    this.#decoder?.close();
    this.#decoder = null;
    this.#giveBack(this.#queue.clear());
  }

  async #switchTo(track: VideoTrack, first: ReceivedObject): Promise<void> {
    this.#isPreparing = true;
    this.#waiting = [first];
    this.#generation += 1;
    const generation = this.#generation;
    this.#decoder?.close();
    this.#decoder = null;
    this.#current = track;
    try {
      const decoder = await createPictureDecoder(track.config, this.#situation, this.#parts.buffers, {
        wants: (ptsUs) => this.#wants(ptsUs),
        onPicture: (picture) => this.#onPicture(picture),
        onSkipped: (ptsUs) => this.#onSkipped(ptsUs),
        onError: (sentence, isFatal) => this.#onDecodeError(sentence, isFatal),
      });
      if (generation !== this.#generation) {
        decoder.close();
        return;
      }
      this.#decoder = decoder;
    } catch (error) {
      if (generation !== this.#generation) {
        return;
      }
      this.#parts.events.onUnsupported(
        error instanceof UnsupportedTrackError ? error.message : `The decoder could not be started: ${String(error)}`,
      );
    } finally {
      if (generation === this.#generation) {
        this.#isPreparing = false;
        this.#needsKey = true;
        const waiting = this.#waiting;
        this.#waiting = [];
        waiting.forEach(({ object, receivedMs }) => this.#decoder !== null && this.push(object, receivedMs));
      }
    }
  }

  #decode(object: WireObject, receivedMs: number): void {
    const decoder = this.#decoder;
    if (decoder === null) {
      return;
    }
    const isKey = object.priority === 'key';
    if (this.#needsKey && !isKey) {
      this.#parts.counters.dropped(object.isCached ? 0 : 1);
      return;
    }
    if (!object.isCached && decoder.pending > MAX_BACKLOG && !isKey) {
      this.#needsKey = true;
      this.#parts.counters.dropped(1);
      return;
    }
    this.#needsKey = false;
    if (object.isCached) {
      this.#newestCachedUs = Math.max(this.#newestCachedUs, object.pts);
      this.#openingUs ??= isKey && !this.#hasPainted ? object.pts : null;
    }
    this.#remember(object, receivedMs);
    try {
      decoder.decode({ isKey, ptsUs: object.pts, data: object.payload });
    } catch (error) {
      this.#onDecodeError(String(error), true);
      this.#parts.events.onLoss({ track: object.trackId, group: object.group, object: object.object });
    }
  }

  #remember(object: WireObject, receivedMs: number): void {
    const capturedUs = object.captureTime ?? object.arrivalTime;
    const { isCached } = object;
    this.#times.set(object.pts, { capturedMs: capturedUs / 1000, isCached, receivedMs, decodedMs: receivedMs });
    if (this.#times.size > MAX_REMEMBERED_UNITS) {
      const [oldest] = this.#times.keys();
      this.#times.delete(oldest ?? 0);
    }
  }

  #wants(ptsUs: number): boolean {
    if (this.#isHidden || this.#isPaused) {
      return false;
    }
    if (this.#times.get(ptsUs)?.isCached === true) {
      return ptsUs >= this.#newestCachedUs || ptsUs === this.#openingUs;
    }
    // Hopelessly late with newer ones behind it: decoding must catch up, painting may skip.
    const isLate = this.#parts.clock.isRunning && this.#parts.clock.dueAtMs(ptsUs / 1000) + LATE_MS < localNowMs();
    return !(isLate && (this.#decoder?.pending ?? 0) > 1);
  }

  #onSkipped(ptsUs: number): void {
    const times = this.#times.get(ptsUs);
    if (times?.isCached === false && !this.#isHidden && !this.#isPaused) {
      this.#parts.counters.dropped(1);
    }
    if (times?.isCached === false && (this.#isHidden || this.#isPaused)) {
      this.#parts.clock.observe(ptsUs / 1000, localNowMs());
    }
    this.#times.delete(ptsUs);
  }

  #onPicture(picture: Picture): void {
    const times = this.#times.get(picture.ptsUs);
    if (times?.isCached === true) {
      if (picture.ptsUs === this.#openingUs) {
        this.#paint(picture, localNowMs());
        this.#startClockSoon(picture.ptsUs);
      } else {
        this.#holdEdgePicture(picture);
      }
      return;
    }
    this.#dropEdgePicture();
    const nowMs = localNowMs();
    if (times !== undefined) {
      times.decodedMs = nowMs;
    }
    this.#parts.clock.observe(picture.ptsUs / 1000, nowMs);
    const evicted = this.#queue.push(picture);
    this.#parts.counters.dropped(evicted.length);
    this.#giveBack(evicted);
    this.#paintLoop.request();
  }

  // The newest picture of the burst is painted when nothing newer comes at once: a stream that stands still has a picture too.
  #holdEdgePicture(picture: Picture): void {
    this.#dropEdgePicture();
    this.#edgePicture = picture;
    this.#startClockSoon(picture.ptsUs);
  }

  #startClockSoon(ptsUs: number): void {
    clearTimeout(this.#edgeTimer);
    this.#edgeTimer = setTimeout(() => {
      if (ptsUs < this.#newestCachedUs) {
        return; // the rest of the burst is still being decoded: its last picture starts the clock
      }
      const picture = this.#edgePicture;
      this.#edgePicture = null;
      this.#parts.clock.startAt(ptsUs / 1000, localNowMs());
      if (picture !== null) {
        this.#paint(picture, localNowMs());
      }
    }, BURST_SETTLE_MS);
  }

  #dropEdgePicture(): void {
    clearTimeout(this.#edgeTimer);
    if (this.#edgePicture !== null) {
      this.#times.delete(this.#edgePicture.ptsUs);
      this.#giveBack([this.#edgePicture]);
      this.#edgePicture = null;
    }
  }

  #tick(nowMs: number): void {
    const { clock, counters } = this.#parts;
    const { stale, picture } = this.#queue.takeDue(
      (ptsUs) => clock.dueAtMs(ptsUs / 1000) <= nowMs + TOLERANCE_MS,
      (ptsUs) => clock.dueAtMs(ptsUs / 1000) + PATIENCE_MS < nowMs,
    );
    if (!this.#isHidden && !this.#isPaused) {
      counters.dropped(stale.length);
    }
    stale.forEach((late) => this.#times.delete(late.ptsUs));
    this.#giveBack(stale);
    if (picture !== null) {
      this.#paint(picture, nowMs);
    }
    if (this.#queue.length > 0) {
      this.#paintLoop.request();
    }
  }

  #paint(picture: Picture, nowMs: number): void {
    const times = this.#times.get(picture.ptsUs);
    this.#times.delete(picture.ptsUs);
    if (this.#isHidden || this.#isPaused) {
      this.#giveBack([picture]);
      return;
    }
    const { renderer, counters, events } = this.#parts;
    const drawnFromMs = localNowMs();
    renderer?.draw(picture);
    const paintedAtMs = localNowMs();
    const stages = times === undefined ? null : this.#stagesOf(times, drawnFromMs, paintedAtMs);
    const latencyMs = stages === null ? null : stages.arrive + stages.decode + stages.wait + stages.draw;
    this.#hasPainted = true;
    if (picture.ptsUs === this.#openingUs) {
      counters.paintedPast();
    } else {
      counters.painted(nowMs, picture.ptsUs / 1000, latencyMs, stages);
    }
    if (!this.#hasJoined) {
      this.#hasJoined = true;
      events.onJoined(paintedAtMs);
    }
    events.onPainted(picture, { ptsUs: picture.ptsUs, paintedAtMs, latencyMs, stages });
  }

  #stagesOf(times: UnitTimes, drawnFromMs: number, paintedAtMs: number): LatencyStages | null {
    const { serverClock } = this.#parts;
    if (times.isCached || times.capturedMs <= 0 || !serverClock.isSynchronised) {
      return null;
    }
    return {
      arrive: serverClock.toServerMs(times.receivedMs) - times.capturedMs,
      decode: times.decodedMs - times.receivedMs,
      wait: drawnFromMs - times.decodedMs,
      draw: paintedAtMs - drawnFromMs,
    };
  }

  #onDecodeError(sentence: string, isFatal: boolean): void {
    this.#parts.counters.decodeError();
    if (!isFatal) {
      return;
    }
    this.#needsKey = true;
    this.#fatalErrors += 1;
    const track = this.#current;
    const mayTryOurs = this.#situation.choice === 'auto' && track !== null && isOurCodec(track.config.codec);
    if (this.#decoder?.kind === 'webcodecs' && mayTryOurs && this.#fatalErrors >= 3) {
      this.#situation = { ...this.#situation, avoidWebCodecs: true };
    }
    this.#decoder?.close();
    this.#decoder = null;
    if (this.#fatalErrors > 20) {
      this.#parts.events.onUnsupported(`This stream cannot be decoded here. ${sentence}`);
    }
  }

  #giveBack(pictures: readonly Picture[]): void {
    pictures.forEach((picture) => this.#parts.buffers.give(picture.buffer));
  }
}
