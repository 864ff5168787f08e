// One broadcast from the studio: frames of a camera or screen through an encoder, sound through Opus, both to the server, at a bitrate
// that follows the uplink. Runs in the encode worker.

import { ClockSync, localNowMs } from '../transport/clock-sync.ts';
import { CaptureClock } from './capture-clock.ts';
import type { FromEncodeWorker, PublishRequest, PublishStats, PublishStatus } from './encode-messages.ts';
import type { FrameEncoder, FrameEncoderEvents } from './frame-encoder.ts';
import { FrameScaler } from './frame-scaler.ts';
import { OpusEncoder } from './opus-encoder.ts';
import { PublishConnection } from './publish-connection.ts';
import { PublishCounters } from './publish-counters.ts';
import { TesseraFrameEncoder } from './tessera-frame-encoder.ts';
import { UplinkController } from './uplink-controller.ts';
import { WebCodecsFrameEncoder } from './webcodecs-frame-encoder.ts';

const FLOOR_KBPS = 150;
const STATS_EVERY_MS = 250;
const BITRATE_STEP = 0.07; // smaller changes are not worth a new configuration
const SOUND_KBPS = 110; // Opus with its headers
const PICTURE_SHARE = 0.96; // the rest is for headers and for pictures that come out larger than planned

/** From construction to end(). */
export class PublishSession {
  readonly #request: PublishRequest;
  readonly #tell: (message: FromEncodeWorker) => void;
  readonly #clock = new ClockSync();
  readonly #videoClock = new CaptureClock();
  readonly #audioClock = new CaptureClock();
  readonly #uplink: UplinkController;
  readonly #counters: PublishCounters;
  readonly #scaler: FrameScaler;
  readonly #connection: PublishConnection;
  readonly #encoder: FrameEncoder;
  readonly #opus: OpusEncoder;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Local epoch ms of the timeline's zero. */
  readonly #originMs = localNowMs();
  readonly #captureTimes = new Map<number, number | null>();
  #size = '';
  #width = 0;
  #height = 0;
  #isKeyWanted = true;
  #isLive = false;
  #viewers = 0;
  #hasAudio = false;
  #encoderKbps = 0;
  #targetKbps: number;

  constructor(request: PublishRequest, tell: (message: FromEncodeWorker) => void) {
    this.#request = request;
    this.#tell = tell;
    this.#targetKbps = request.ceilingKbps;
    this.#uplink = new UplinkController({ ceilingKbps: request.ceilingKbps, floorKbps: FLOOR_KBPS });
    this.#counters = new PublishCounters(request.fps);
    this.#scaler = new FrameScaler(request.maxHeight);
    this.#connection = new PublishConnection(request.origin, request.stream, request.key, this.#clock, {
      onStatus: (status) => this.#onStatus(status),
      onReady: () => {
        this.#isKeyWanted = true;
        this.#uplink.restart();
      },
      onKeyframeWanted: () => (this.#isKeyWanted = true),
      onAcknowledged: (bytes, atMs, viewers) => {
        this.#uplink.acknowledged(localNowMs(), bytes, atMs);
        this.#viewers = viewers;
      },
    });
    const events: FrameEncoderEvents = {
      onConfig: (config) => this.#connection.setTrack('video', config),
      onUnit: ({ isKey, ptsUs, data }) => this.#sendPicture(isKey, ptsUs, data),
      onError: (sentence) => tell({ type: 'problem', sentence }),
    };
    this.#encoder = request.encoder === 'tessera' ? new TesseraFrameEncoder(events) : new WebCodecsFrameEncoder(events);
    this.#opus = new OpusEncoder({
      onConfig: (config) => {
        this.#hasAudio = true;
        this.#connection.setTrack('audio', config);
      },
      onFrame: ({ ptsUs, data }) => this.#send({ track: 'audio', isKey: true, ptsUs, captureTimeUs: null, data }),
    });
    this.#timer = setInterval(() => tell({ type: 'stats', stats: this.#stats() }), STATS_EVERY_MS);
  }

  setCeiling(kbps: number): void {
    this.#uplink.setCeiling(kbps);
  }

  /** Takes one frame; it is closed here. */
  async pushFrame(frame: VideoFrame): Promise<void> {
    const nowMs = localNowMs();
    const capturedMs = this.#videoClock.captureTimeMs(frame.timestamp, nowMs);
    this.#counters.captured(capturedMs);
    const advice = this.#uplink.advise(nowMs);
    this.#targetKbps = advice.targetKbps;
    const pictureKbps = this.#pictureKbps(advice.targetKbps);
    if (!this.#isLive || advice.shouldSkip) {
      frame.close();
      if (this.#isLive) {
        this.#counters.skipped();
      }
      return;
    }
    const scaled = this.#scaler.scale(frame);
    try {
      await this.#encode(scaled, capturedMs, pictureKbps);
    } catch (error) {
      this.#tell({ type: 'problem', sentence: `A picture could not be encoded: ${String(error)}` });
    } finally {
      scaled.close();
    }
  }

  /** Takes samples; they are closed here. */
  pushSamples(data: AudioData): void {
    const capturedMs = this.#audioClock.captureTimeMs(data.timestamp, localNowMs());
    if (this.#isLive) {
      this.#opus.encode(data, Math.round((capturedMs - this.#originMs) * 1000));
    }
    data.close();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#connection.end();
    this.#encoder.close();
    this.#opus.close();
  }

  // Sound and headers count too: what the streamer set is the limit of all that goes out.
  #pictureKbps(targetKbps: number): number {
    const soundKbps = this.#hasAudio ? SOUND_KBPS : 0;
    return Math.max(targetKbps / 2, Math.round((targetKbps - soundKbps) * PICTURE_SHARE));
  }

  async #encode(frame: VideoFrame, capturedMs: number, kbps: number): Promise<void> {
    const width = frame.visibleRect?.width ?? frame.displayWidth;
    const height = frame.visibleRect?.height ?? frame.displayHeight;
    if (`${width}x${height}` !== this.#size) {
      this.#size = `${width}x${height}`;
      this.#width = width;
      this.#height = height;
      this.#encoderKbps = kbps;
      this.#encoder.configure({ width, height, fps: this.#request.fps }, kbps);
    } else if (kbps < this.#encoderKbps || kbps / this.#encoderKbps - 1 > BITRATE_STEP) {
      this.#encoderKbps = kbps;
      this.#encoder.setBitrate(kbps);
    }
    const ptsUs = Math.round((capturedMs - this.#originMs) * 1000);
    const captureTimeUs = this.#clock.isSynchronised ? Math.round(this.#clock.toServerMs(capturedMs) * 1000) : null;
    this.#captureTimes.set(ptsUs, captureTimeUs);
    const isKeyWanted = this.#isKeyWanted;
    this.#isKeyWanted = false;
    const startedAt = performance.now();
    await this.#encoder.encode(frame, { ptsUs, captureTimeUs, isKeyWanted });
    this.#counters.encoded(localNowMs(), performance.now() - startedAt);
  }

  #sendPicture(isKey: boolean, ptsUs: number, data: Uint8Array): void {
    const captureTimeUs = this.#captureTimes.get(ptsUs) ?? null;
    this.#captureTimes.forEach((_, known) => known <= ptsUs && this.#captureTimes.delete(known));
    this.#send({ track: 'video', isKey, ptsUs, captureTimeUs, data });
  }

  #send(unit: Parameters<PublishConnection['send']>[0]): void {
    const bytes = this.#connection.send(unit);
    if (bytes > 0) {
      this.#uplink.sent(localNowMs(), bytes);
      this.#counters.sent(localNowMs(), bytes);
    }
  }

  #onStatus(status: PublishStatus): void {
    this.#isLive = status.kind === 'live';
    this.#tell({ type: 'status', status });
  }

  #stats(): PublishStats {
    const nowMs = localNowMs();
    return {
      encoder: this.#encoder.kind,
      width: this.#width,
      height: this.#height,
      ...this.#counters.snapshot(nowMs),
      targetKbps: this.#targetKbps,
      rttMs: this.#clock.rttMs,
      queueMs: this.#uplink.queueMs,
      viewers: this.#viewers,
      hasAudio: this.#hasAudio,
    };
  }
}
