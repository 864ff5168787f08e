// Pictures to access units by our encoder, for `publish --encode`.

import { H264Encoder } from '../../../shared/codec/h264/encoder.ts';
import type { EncoderPreset } from '../../../shared/codec/h264/codec-types.ts';
import type { VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import type { I420Frame } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { Microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import type { SourceEvent } from './media-source.ts';

export type FrameEncoderOptions = {
  readonly framerate: { readonly numerator: number; readonly denominator: number };
  /** Kilobits per second; by default a tenth of a bit per pixel. */
  readonly kbps?: number;
  readonly preset?: EncoderPreset;
};

export class FrameEncoder {
  readonly #options: FrameEncoderOptions;
  readonly #encoder: H264Encoder;
  #events: SourceEvent[] = [];
  #size = { width: 0, height: 0 };
  #captureTime: Microseconds = microseconds(0);

  constructor(options: FrameEncoderOptions) {
    this.#options = options;
    this.#encoder = new H264Encoder({
      output: (chunk, { description, isReference }) => {
        if (description !== undefined) {
          this.#describe(description);
        }
        const priority = chunk.type === 'key' ? 'key' : isReference ? 'reference' : 'discardable';
        const time = chunk.timestamp;
        const captureTime = this.#captureTime;
        const unit = {
          priority,
          pts: time,
          dts: time,
          data: chunk.data,
          captureTime,
          arrivalTime: microseconds(0),
        } as const;
        this.#events.push({ kind: 'unit', name: 'video', unit });
      },
    });
  }

  /** Encodes one picture and closes it; returns the events that came out, the track first where it is new. */
  encode(
    frame: I420Frame,
    options: { readonly captureTime: Microseconds; readonly isKeyframe: boolean },
  ): SourceEvent[] {
    this.#captureTime = options.captureTime;
    if (frame.width !== this.#size.width || frame.height !== this.#size.height) {
      this.#configure(frame);
    }
    this.#encoder.encode(frame, { keyFrame: options.isKeyframe, captureTime: options.captureTime });
    frame.close();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #configure({ width, height, colour, sampleAspect }: I420Frame): void {
    const { framerate, preset } = this.#options;
    const fps = framerate.numerator / framerate.denominator;
    const kbps = this.#options.kbps ?? Math.max(100, Math.round((width * height * fps) / 10_000));
    this.#size = { width, height };
    this.#encoder.configure({
      width,
      height,
      framerate,
      rateControl: { kind: 'bitrate', kbps },
      format: 'avc',
      colour,
      sampleAspect,
      ...(preset === undefined ? {} : { preset }),
    });
  }

  #describe(description: Uint8Array): void {
    const { framerate } = this.#options;
    const config: VideoTrackConfig = {
      kind: 'video',
      ...describeVideo('avc', description, {}),
      description,
      fps: framerate.numerator / framerate.denominator,
    };
    this.#events.push({ kind: 'track', name: 'video', config });
  }
}
