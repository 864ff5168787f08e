// Runs the encoder over a synthetic clip and keeps what tests look at: access units, reconstructions, metadata.

import { createHash } from 'node:crypto';
import type {
  EncodedChunk,
  EncodeOptions,
  EncoderChunkMetadata,
  EncoderConfig,
} from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import type { ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import { type I420Frame, i420ByteLength, type Plane } from '../../shared/media/frame.ts';

export type EncodedClip = {
  readonly chunks: readonly EncodedChunk[];
  readonly metadata: readonly EncoderChunkMetadata[];
  /** All access units joined. */
  readonly stream: Uint8Array;
  /** Reconstructions, tightly packed I420. */
  readonly reconstructions: readonly Uint8Array[];
  /** Frames without an access unit, by rate control. */
  readonly dropped: number;
  /** Slices that lent threads coded. */
  readonly lentSlices: number;
};

/** A frame's planes without padding. */
export function packFrame(frame: I420Frame): Uint8Array {
  const packed = new Uint8Array(i420ByteLength(frame.width, frame.height));
  let at = 0;
  const copy = (plane: Plane): void => {
    for (let y = 0; y < plane.height; y++) {
      packed.set(plane.data.subarray(y * plane.stride, y * plane.stride + plane.width), at);
      at += plane.width;
    }
  };
  copy(frame.y);
  copy(frame.u);
  copy(frame.v);
  return packed;
}

/** Encodes `frames` frames of a clip; `threadHost` lends threads where the configuration asks for them. */
export function encodeClip(
  config: EncoderConfig,
  frameAt: (index: number) => I420Frame,
  frames: number,
  optionsAt: (index: number) => EncodeOptions = () => ({}),
  threadHost?: ThreadHost,
): EncodedClip {
  const chunks: EncodedChunk[] = [];
  const metadata: EncoderChunkMetadata[] = [];
  const reconstructions: Uint8Array[] = [];
  const encoder = new H264Encoder({
    output: (chunk, meta) => {
      chunks.push(chunk);
      metadata.push(meta);
    },
    reconstruction: (frame) => reconstructions.push(packFrame(frame)),
    ...(threadHost === undefined ? {} : { threadHost }),
  });
  encoder.configure(config);
  for (let i = 0; i < frames; i++) {
    encoder.encode(frameAt(i), optionsAt(i));
  }
  encoder.flush();
  const { lentSlices } = encoder;
  const { dropped } = encoder.counters;
  encoder.close();
  const stream = Buffer.concat(chunks.map((chunk) => chunk.data));
  return { chunks, metadata, stream, reconstructions, dropped, lentSlices };
}

/** md5 of bytes in order. */
export function md5Of(parts: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest('hex');
}
