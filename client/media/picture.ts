// One decoded picture on its way to the canvas: tightly packed I420 in a buffer of its own, so that it can be queued, drawn and
// handed from thread to thread without a copy.

import type { PictureInspection } from '../../shared/codec/h264/decoder/inspection.ts';
import type { ColourDescription } from '../../shared/media/colour.ts';

/** A decoded picture before colour conversion. The buffer holds Y, then U, then V without padding. */
export type Picture = {
  readonly ptsUs: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspect: readonly [number, number];
  readonly colour: ColourDescription;
  readonly buffer: ArrayBuffer;
  /** How it was coded; only where the inspector asked for it. */
  readonly inspection?: PictureInspection;
};

/** Byte ranges of the three planes. */
export type PlaneViews = { readonly y: Uint8Array; readonly u: Uint8Array; readonly v: Uint8Array };

/** Views on the planes of a packed I420 buffer. */
export function planesOf(picture: Pick<Picture, 'width' | 'height' | 'buffer'>): PlaneViews {
  const { width, height, buffer } = picture;
  const luma = width * height;
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  return {
    y: new Uint8Array(buffer, 0, luma),
    u: new Uint8Array(buffer, luma, chroma),
    v: new Uint8Array(buffer, luma + chroma, chroma),
  };
}

/** Size on a display with square pixels: the longer way is stretched, never the shorter squeezed. */
export function displaySize(picture: Pick<Picture, 'width' | 'height' | 'sampleAspect'>): {
  readonly width: number;
  readonly height: number;
} {
  const [horizontal, vertical] = picture.sampleAspect;
  if (horizontal === vertical || horizontal <= 0 || vertical <= 0) {
    return { width: picture.width, height: picture.height };
  }
  return horizontal > vertical
    ? { width: Math.round((picture.width * horizontal) / vertical), height: picture.height }
    : { width: picture.width, height: Math.round((picture.height * vertical) / horizontal) };
}

/** Recycles the buffers of pictures. Holds at most `limit` idle ones. */
export class PictureBuffers {
  readonly #limit: number;
  #idle: ArrayBuffer[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A buffer of exactly `byteLength` bytes with any content. */
  take(byteLength: number): ArrayBuffer {
    const index = this.#idle.findIndex((buffer) => buffer.byteLength === byteLength);
    const [buffer] = index < 0 ? [] : this.#idle.splice(index, 1);
    return buffer ?? new ArrayBuffer(byteLength);
  }

  /** Gives a buffer back; the giver must not touch it again. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength > 0) {
      this.#idle.push(buffer);
      if (this.#idle.length > this.#limit) {
        this.#idle.shift();
      }
    }
  }
}
