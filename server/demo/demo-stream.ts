// The built-in demo stream (`demo: true`): publishes drawn pictures as raw frames through the same door as every publisher, so that
// `source` is made by our encoder and every picture carries its capture time. Started by the composition root.

import type { StreamId } from '../../shared/media/brands.ts';
import { BT709_LIMITED } from '../../shared/media/colour.ts';
import { microseconds, type Microseconds } from '../../shared/media/time.ts';
import { ProtocolError } from '../../shared/errors.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { PublishAdmission, PublisherSlot } from '../streams/roles.ts';
import { DemoPicture } from './demo-picture.ts';

export type DemoStreamOptions = {
  readonly admission: PublishAdmission;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly streamId: StreamId;
  /** A key that may publish the stream. */
  readonly key: string;
  /** Even, at least 320x180. */
  readonly size: { readonly width: number; readonly height: number };
  readonly fps?: number; // default 30
};

/** Frames that may be missed in a row before the time line jumps to now instead of catching up. */
const MAX_CATCH_UP = 2;
const RETRY_MS = 5000;

export class DemoStream {
  private readonly options: DemoStreamOptions;
  private readonly picture: DemoPicture;
  private readonly fps: number;
  private slot: PublisherSlot | null = null;
  private cancel: (() => void) | null = null;
  private startedAtMs = 0;
  private nextFrame = 0;

  constructor(options: DemoStreamOptions) {
    this.options = options;
    this.fps = options.fps ?? 30;
    this.picture = new DemoPicture(options.size.width, options.size.height);
  }

  /** Publishes until stop(). When somebody else holds the stream, tries again now and then. */
  start(): void {
    const { admission, streamId, key, clock, logger } = this.options;
    try {
      this.slot = admission.open({
        streamId,
        key,
        protocol: 'internal',
        onRevoked: (code, sentence) => {
          logger.warn({ stream: streamId, code, sentence }, 'the demo stream lost its place');
          this.retryLater();
        },
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      logger.warn({ stream: streamId, code: error.code, sentence: error.message }, 'the demo stream has no place');
      this.retryLater();
      return;
    }
    this.slot.setTrack('video', {
      kind: 'video',
      codec: RAW_CODEC,
      width: this.picture.width,
      height: this.picture.height,
      sampleAspect: [1, 1],
      colour: BT709_LIMITED,
      fps: this.fps,
    });
    this.startedAtMs = clock.monotonicMs();
    this.nextFrame = 0;
    this.schedule();
  }

  /** Ends the stream. */
  stop(): void {
    this.cancel?.();
    this.cancel = null;
    const { slot } = this;
    this.slot = null;
    slot?.close('finished');
  }

  private retryLater(): void {
    this.slot = null;
    this.cancel?.();
    this.cancel = this.options.clock.after(RETRY_MS, () => {
      this.start();
    });
  }

  private schedule(): void {
    const { clock } = this.options;
    const dueMs = this.startedAtMs + (this.nextFrame * 1000) / this.fps;
    this.cancel = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      this.publish();
    });
  }

  private publish(): void {
    const { clock } = this.options;
    const lateFrames = Math.floor(((clock.monotonicMs() - this.startedAtMs) * this.fps) / 1000) - this.nextFrame;
    if (lateFrames > MAX_CATCH_UP) {
      this.nextFrame += lateFrames;
    }
    const seconds = this.nextFrame / this.fps;
    const captureTime = wholeMicroseconds(clock.epochMs() * 1000);
    const pts = wholeMicroseconds(seconds * 1_000_000);
    const data = this.picture.draw(seconds, captureTime / 1000); // the very time that the header carries
    this.nextFrame++;
    this.slot?.push('video', { priority: 'key', pts, dts: pts, data, captureTime, arrivalTime: captureTime });
    if (this.slot !== null) {
      this.schedule();
    }
  }
}

function wholeMicroseconds(value: number): Microseconds {
  return microseconds(Math.round(value));
}
