// The browser's own decoder behind the PictureDecoder role. Output samples are copied out in order, so that every picture exists as
// I420 before colour conversion, whatever the hardware gave.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { ColourDescription } from '../../shared/media/colour.ts';
import { i420ByteLength } from '../../shared/media/frame.ts';
import type { Picture, PictureBuffers } from './picture.ts';
import type { EncodedPicture, PictureDecoder, PictureDecoderEvents } from './picture-decoder.ts';
import { copyToI420, visibleSize } from './video-frame-samples.ts';

/** WebCodecs' words for a track's configuration. */
function toVideoDecoderConfig(config: VideoTrackConfig): VideoDecoderConfig {
  return {
    codec: config.codec,
    codedWidth: config.width,
    codedHeight: config.height,
    optimizeForLatency: true,
    ...(config.description === undefined ? {} : { description: new Uint8Array(config.description) }),
  };
}

const MATRIX_CODES: Readonly<Record<string, number>> = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6, 'bt2020-ncl': 9 };

// What the track says wins; a browser's guess fills the gap.
function colourOf(config: VideoTrackConfig, space: VideoColorSpace): ColourDescription {
  if (config.colour.matrix_coefficients !== 2) {
    return config.colour;
  }
  return {
    ...config.colour,
    matrix_coefficients: MATRIX_CODES[space.matrix ?? ''] ?? 2,
    video_full_range_flag: space.fullRange ?? config.colour.video_full_range_flag,
  };
}

/** True when this browser has WebCodecs and can decode the track. */
export async function canDecodeByWebCodecs(config: VideoTrackConfig): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') {
    return false;
  }
  try {
    return (await VideoDecoder.isConfigSupported(toVideoDecoderConfig(config))).supported === true;
  } catch {
    return false;
  }
}

/** VideoDecoder as a PictureDecoder. */
export class WebCodecsPictureDecoder implements PictureDecoder {
  readonly kind = 'webcodecs';
  readonly #events: PictureDecoderEvents;
  readonly #buffers: PictureBuffers;
  #decoder: VideoDecoder | null = null;
  #config: VideoTrackConfig | null = null;
  #pending = 0;
  // Copies finish in the order of output; the chain holds at most what the decoder lets out (a dozen frames).
  #copies: Promise<void> = Promise.resolve();

  constructor(buffers: PictureBuffers, events: PictureDecoderEvents) {
    this.#buffers = buffers;
    this.#events = events;
  }

  get pending(): number {
    return this.#pending;
  }

  configure(config: VideoTrackConfig): void {
    this.close();
    const decoder = new VideoDecoder({
      output: (frame) => this.#onOutput(decoder, frame, config),
      error: (error) => {
        if (this.#decoder === decoder) {
          this.#decoder = null;
          this.#pending = 0;
          this.#events.onError(`The browser's decoder gave up: ${error.message}`, true);
        }
      },
    });
    decoder.configure(toVideoDecoderConfig(config));
    this.#config = config;
    this.#decoder = decoder;
  }

  decode(unit: EncodedPicture): void {
    const decoder = this.#decoder;
    if (decoder === null || this.#config === null) {
      return;
    }
    this.#pending += 1;
    decoder.decode(
      new EncodedVideoChunk({ type: unit.isKey ? 'key' : 'delta', timestamp: unit.ptsUs, data: unit.data }),
    );
  }

  flush(): void {
    // Rejects only when the decoder is closed or fails, which `error` tells.
    this.#decoder?.flush().catch(() => undefined);
  }

  close(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#pending = 0;
    if (decoder !== null && decoder.state !== 'closed') {
      decoder.close();
    }
  }

  #onOutput(decoder: VideoDecoder, frame: VideoFrame, config: VideoTrackConfig): void {
    if (this.#decoder !== decoder) {
      frame.close();
      return;
    }
    this.#pending = Math.max(0, this.#pending - 1);
    if (!this.#events.wants(frame.timestamp)) {
      this.#events.onSkipped(frame.timestamp);
      frame.close();
      return;
    }
    this.#copies = this.#copies.then(() => this.#emit(decoder, frame, config));
  }

  async #emit(decoder: VideoDecoder, frame: VideoFrame, config: VideoTrackConfig): Promise<void> {
    const { width, height } = visibleSize(frame);
    const buffer = this.#buffers.take(i420ByteLength(width, height));
    try {
      await copyToI420(frame, new Uint8Array(buffer));
    } catch (error) {
      frame.close();
      this.#buffers.give(buffer);
      this.#events.onError(`A decoded picture could not be read: ${String(error)}`, false);
      return;
    }
    const picture: Picture = {
      ptsUs: frame.timestamp,
      width,
      height,
      sampleAspect: config.sampleAspect,
      colour: colourOf(config, frame.colorSpace),
      buffer,
    };
    frame.close();
    if (this.#decoder === decoder) {
      this.#events.onPicture(picture);
    } else {
      this.#buffers.give(buffer);
    }
  }
}
