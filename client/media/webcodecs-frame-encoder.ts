// The browser's encoder (hardware where it has some) behind the FrameEncoder role.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { BT709_LIMITED, UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import type { FrameEncoder, FrameEncoderEvents, FrameFormat, FrameOptions } from './frame-encoder.ts';

const MAX_QUEUE = 2;
const KEY_EVERY_MS = 2000;

// Constrained Baseline, level by picture size: 3.1 up to 720p30, 4.2 up to 1080p60, else 5.1.
function codecFor({ width, height, fps }: FrameFormat): string {
  const macroblocksPerSecond = Math.ceil(width / 16) * Math.ceil(height / 16) * fps;
  return macroblocksPerSecond <= 108_000
    ? 'avc1.42e01f'
    : macroblocksPerSecond <= 522_240
      ? 'avc1.42e02a'
      : 'avc1.42e033';
}

/** VideoEncoder as a FrameEncoder. */
export class WebCodecsFrameEncoder implements FrameEncoder {
  readonly kind = 'webcodecs';
  readonly #events: FrameEncoderEvents;
  #encoder: VideoEncoder | null = null;
  #format: FrameFormat | null = null;
  #keyAtUs = Number.NEGATIVE_INFINITY;

  constructor(events: FrameEncoderEvents) {
    this.#events = events;
  }

  configure(format: FrameFormat, kbps: number): void {
    this.close();
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#onChunk(format, chunk, metadata),
      error: (error) => this.#events.onError(`The browser's encoder gave up: ${error.message}`),
    });
    this.#format = format;
    this.#keyAtUs = Number.NEGATIVE_INFINITY;
    this.#encoder = encoder;
    encoder.configure(this.#config(format, kbps));
  }

  setBitrate(kbps: number): void {
    if (this.#encoder !== null && this.#format !== null) {
      this.#encoder.configure(this.#config(this.#format, kbps));
    }
  }

  async encode(frame: VideoFrame, options: FrameOptions): Promise<void> {
    const encoder = this.#encoder;
    if (encoder === null) {
      return;
    }
    if (encoder.encodeQueueSize > MAX_QUEUE) {
      await new Promise((resolve) => encoder.addEventListener('dequeue', resolve, { once: true }));
    }
    const isKey = options.isKeyWanted || options.ptsUs - this.#keyAtUs >= KEY_EVERY_MS * 1000;
    if (isKey) {
      this.#keyAtUs = options.ptsUs;
    }
    const timed = new VideoFrame(frame, { timestamp: options.ptsUs });
    encoder.encode(timed, { keyFrame: isKey });
    timed.close();
  }

  close(): void {
    if (this.#encoder !== null && this.#encoder.state !== 'closed') {
      this.#encoder.close();
    }
    this.#encoder = null;
  }

  #config(format: FrameFormat, kbps: number): VideoEncoderConfig {
    return {
      codec: codecFor(format),
      width: format.width & ~1,
      height: format.height & ~1,
      bitrate: kbps * 1000,
      framerate: format.fps,
      latencyMode: 'realtime',
      bitrateMode: 'constant',
      avc: { format: 'avc' },
    };
  }

  #onChunk(format: FrameFormat, chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const config = metadata?.decoderConfig;
    if (config?.description !== undefined) {
      this.#events.onConfig(trackConfigOf(format, config));
    }
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    this.#events.onUnit({ isKey: chunk.type === 'key', ptsUs: chunk.timestamp, data });
  }
}

function trackConfigOf(format: FrameFormat, config: VideoDecoderConfig): VideoTrackConfig {
  const source = config.description as ArrayBuffer | ArrayBufferView;
  const description = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice();
  return {
    kind: 'video',
    codec: config.codec,
    description,
    width: format.width & ~1,
    height: format.height & ~1,
    sampleAspect: [1, 1],
    colour: config.colorSpace?.matrix === 'bt709' ? BT709_LIMITED : UNSPECIFIED_COLOUR,
    fps: format.fps,
  };
}
