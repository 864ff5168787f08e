// One uncompressed picture, 4:2:0 planar (I420), as it travels between decoder, scaler, encoder and renderer.

import type { ColourDescription } from './colour.ts';
import type { Microseconds } from './time.ts';

/** One plane: `height` rows of `width` samples, rows `stride` bytes apart. */
export type Plane = {
  readonly data: Uint8Array;
  readonly stride: number; // >= width
  readonly width: number;
  readonly height: number;
};

/**
 * An I420 frame. `width` x `height` is the picture after cropping; chroma planes are (width+1)>>1 x (height+1)>>1.
 * The planes may be views on a codec's memory: they are valid until `close()` is called, and must then be forgotten.
 */
export type I420Frame = {
  readonly width: number;
  readonly height: number;
  readonly y: Plane;
  readonly u: Plane;
  readonly v: Plane;
  /** Presentation time on the stream's timeline. */
  readonly timestamp: Microseconds;
  /** Sample aspect ratio, [1, 1] for square samples. */
  readonly sampleAspect: readonly [number, number];
  readonly colour: ColourDescription;
  /** Gives the planes back to their owner. Calling it twice does nothing. */
  close(): void;
};

/** Bytes of a tightly packed I420 picture. */
export function i420ByteLength(width: number, height: number): number {
  return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
}

/** Wraps a tightly packed I420 buffer (Y, then U, then V, no padding) as a frame that owns nothing. Throws RangeError when the buffer is too short. */
export function packedI420(
  data: Uint8Array,
  size: { readonly width: number; readonly height: number },
  meta: Pick<I420Frame, 'timestamp' | 'colour'> & Partial<Pick<I420Frame, 'sampleAspect'>>,
): I420Frame {
  const { width, height } = size;
  if (data.length < i420ByteLength(width, height)) {
    throw new RangeError(
      `An I420 picture of ${width}x${height} needs ${i420ByteLength(width, height)} bytes, got ${data.length}.`,
    );
  }
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;
  const uStart = width * height;
  const vStart = uStart + chromaWidth * chromaHeight;
  return {
    width,
    height,
    y: { data: data.subarray(0, uStart), stride: width, width, height },
    u: { data: data.subarray(uStart, vStart), stride: chromaWidth, width: chromaWidth, height: chromaHeight },
    v: {
      data: data.subarray(vStart, vStart + chromaWidth * chromaHeight),
      stride: chromaWidth,
      width: chromaWidth,
      height: chromaHeight,
    },
    timestamp: meta.timestamp,
    sampleAspect: meta.sampleAspect ?? [1, 1],
    colour: meta.colour,
    close: () => undefined,
  };
}
