// Sound of the studio: AudioData in, Opus frames of 20 ms out, by the browser's encoder.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';

const KBPS = 96;
const MAX_QUEUE = 20;

/** One Opus frame. */
type OpusFrame = { readonly ptsUs: number; readonly data: Uint8Array };

/** What the owner is told. */
export type OpusEncoderEvents = {
  readonly onConfig: (config: AudioTrackConfig) => void;
  readonly onFrame: (frame: OpusFrame) => void;
};

/** OpusHead as RFC 7845, 5.1 lays it out. */
function opusHead(channels: number, sampleRate: number): Uint8Array {
  const head = new Uint8Array(19);
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode('OpusHead'));
  view.setUint8(8, 1);
  view.setUint8(9, channels);
  view.setUint16(10, 312, true);
  view.setUint32(12, sampleRate, true);
  return head;
}

/** Encodes one microphone. */
export class OpusEncoder {
  readonly #events: OpusEncoderEvents;
  #encoder: AudioEncoder | null = null;
  #format = '';

  constructor(events: OpusEncoderEvents) {
    this.#events = events;
  }

  /** Encodes; `ptsUs` is where the samples lie on the stream's timeline. The data stays the caller's. */
  encode(data: AudioData, ptsUs: number): void {
    const format = `${data.sampleRate}/${data.numberOfChannels}`;
    if (format !== this.#format || this.#encoder?.state === 'closed') {
      this.close();
      this.#format = format;
      this.#encoder = this.#create(data.sampleRate, data.numberOfChannels);
    }
    if (this.#encoder === null || this.#encoder.encodeQueueSize > MAX_QUEUE) {
      return;
    }
    const samples = new Float32Array(data.numberOfFrames * data.numberOfChannels);
    for (let channel = 0; channel < data.numberOfChannels; channel += 1) {
      const plane = samples.subarray(channel * data.numberOfFrames, (channel + 1) * data.numberOfFrames);
      data.copyTo(plane, { planeIndex: channel, format: 'f32-planar' });
    }
    const { sampleRate, numberOfFrames, numberOfChannels } = data;
    const timed = new AudioData({
      format: 'f32-planar',
      sampleRate,
      numberOfFrames,
      numberOfChannels,
      timestamp: ptsUs,
      data: samples,
    });
    this.#encoder.encode(timed);
    timed.close();
  }

  close(): void {
    if (this.#encoder !== null && this.#encoder.state !== 'closed') {
      this.#encoder.close();
    }
    this.#encoder = null;
    this.#format = '';
  }

  #create(sampleRate: number, channels: number): AudioEncoder {
    const encoder = new AudioEncoder({
      output: (chunk, metadata) => {
        const config = metadata?.decoderConfig;
        if (config !== undefined) {
          const description = opusHead(config.numberOfChannels, config.sampleRate);
          this.#events.onConfig({
            kind: 'audio',
            codec: 'opus',
            description,
            sampleRate: config.sampleRate,
            channels: config.numberOfChannels,
          });
        }
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        this.#events.onFrame({ ptsUs: chunk.timestamp, data });
      },
      error: () => undefined, // the next samples start a new encoder
    });
    encoder.configure({ codec: 'opus', sampleRate, numberOfChannels: channels, bitrate: KBPS * 1000 });
    return encoder;
  }
}
