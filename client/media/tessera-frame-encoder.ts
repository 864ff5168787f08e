// Our encoder behind the FrameEncoder role. Encoding is synchronous in the worker; when pictures take too long the faster preset is
// chosen. The capture time is written into the bitstream too, so that it survives where headers do not.

import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import type { EncoderPreset, RateControlConfig } from '../../shared/codec/h264/codec-types.ts';
import { BT709_LIMITED, type ColourDescription } from '../../shared/media/colour.ts';
import { i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import {
  avcCodecString,
  type FrameEncoder,
  type FrameEncoderEvents,
  type FrameFormat,
  type FrameOptions,
} from './frame-encoder.ts';
import { copyToI420 } from './video-frame-samples.ts';

const SLOW_SHARE = 0.75; // of the frame interval
const SLOW_PICTURES = 30;
const BUFFER_MS = 1000;
/** A picture holds up those behind it on the uplink for at most this long, at the rate that is meant for it ... */
const LONGEST_PICTURE_MS = 180;
/** ... but a key picture needs about this much even at its coarsest. */
const LEAST_BYTES_PER_MACROBLOCK = 3;

const MATRIX_CODES: Readonly<Record<string, number>> = { bt709: 1, bt470bg: 5, smpte170m: 6 };

// Planar frames keep their colours; RGB ones are converted to BT.709, limited range.
function colourOf(frame: VideoFrame): ColourDescription {
  const { matrix, fullRange } = frame.colorSpace;
  const code = MATRIX_CODES[matrix ?? ''];
  return code === undefined
    ? BT709_LIMITED
    : { ...BT709_LIMITED, matrix_coefficients: code, video_full_range_flag: fullRange ?? false };
}

/** H264Encoder as a FrameEncoder. */
export class TesseraFrameEncoder implements FrameEncoder {
  readonly kind = 'tessera';
  readonly #events: FrameEncoderEvents;
  readonly #encoder: H264Encoder;
  #format: FrameFormat | null = null;
  #kbps = 0;
  #colour: ColourDescription | null = null;
  #preset: EncoderPreset = 'fast';
  #slowPictures = 0;
  #samples = new Uint8Array(0);

  constructor(events: FrameEncoderEvents) {
    this.#events = events;
    this.#encoder = new H264Encoder({
      output: (chunk, metadata) => {
        if (metadata.description !== undefined) {
          this.#announce(metadata.description);
        }
        events.onUnit({ isKey: chunk.type === 'key', ptsUs: chunk.timestamp, data: chunk.data });
      },
    });
  }

  configure(format: FrameFormat, kbps: number): void {
    this.#format = format;
    this.#kbps = kbps;
    this.#colour = null; // the next frame says its colours, and configures
    this.#samples = new Uint8Array(i420ByteLength(format.width, format.height));
  }

  setBitrate(kbps: number): void {
    this.#kbps = kbps;
    if (this.#colour !== null) {
      this.#encoder.adjust({ rateControl: this.#rateControl() });
    }
  }

  #rateControl(): RateControlConfig {
    const { width, height } = this.#format ?? { width: 0, height: 0 };
    const leastBytes = Math.ceil(width / 16) * Math.ceil(height / 16) * LEAST_BYTES_PER_MACROBLOCK;
    const maxFrameBytes = Math.max(64, leastBytes, Math.round((this.#kbps * LONGEST_PICTURE_MS) / 8));
    return { kind: 'bitrate', kbps: this.#kbps, maxKbps: this.#kbps, bufferMs: BUFFER_MS, maxFrameBytes };
  }

  async encode(frame: VideoFrame, options: FrameOptions): Promise<void> {
    const format = this.#format;
    if (format === null) {
      return;
    }
    await copyToI420(frame, this.#samples);
    if (this.#colour === null) {
      this.#apply(colourOf(frame));
    }
    const picture = packedI420(this.#samples, format, {
      timestamp: microseconds(options.ptsUs),
      colour: this.#colour ?? BT709_LIMITED,
    });
    const startedAt = performance.now();
    this.#encoder.encode(picture, {
      keyFrame: options.isKeyWanted,
      ...(options.captureTimeUs === null ? {} : { captureTime: microseconds(options.captureTimeUs) }),
    });
    this.#watchTime(performance.now() - startedAt, format);
  }

  close(): void {
    this.#format = null;
  }

  #apply(colour: ColourDescription): void {
    if (this.#format === null) {
      return;
    }
    this.#colour = colour;
    this.#encoder.configure({
      width: this.#format.width,
      height: this.#format.height,
      framerate: { numerator: Math.round(this.#format.fps * 1000), denominator: 1000 },
      rateControl: this.#rateControl(),
      preset: this.#preset,
      format: 'avc',
      colour,
    });
  }

  #announce(description: Uint8Array): void {
    if (this.#format === null) {
      return;
    }
    this.#events.onConfig({
      kind: 'video',
      codec: avcCodecString(description),
      description,
      width: this.#format.width,
      height: this.#format.height,
      sampleAspect: [1, 1],
      colour: this.#colour ?? BT709_LIMITED,
      fps: this.#format.fps,
    });
  }

  #watchTime(encodeMs: number, format: FrameFormat): void {
    const isSlow = encodeMs > (1000 / format.fps) * SLOW_SHARE;
    this.#slowPictures = isSlow ? this.#slowPictures + 1 : Math.max(0, this.#slowPictures - 1);
    if (this.#slowPictures > SLOW_PICTURES && this.#preset === 'fast' && this.#colour !== null) {
      this.#preset = 'ultrafast';
      this.#apply(this.#colour);
    }
  }
}
