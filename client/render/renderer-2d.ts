// Draws I420 on a 2D canvas: where there is no WebGL, or only one that is emulated on the processor. The browser's own converter
// (a VideoFrame with our colour description) is used where it exists; else the samples are converted here, chroma from the nearest.

import { displaySize, planesOf, type Picture } from '../media/picture.ts';
import { colourMatrix, effectiveMatrixCode } from './colour-matrix.ts';
import type { DrawingSurface, Renderer } from './renderer.ts';

type Context2d = Pick<OffscreenCanvasRenderingContext2D, 'createImageData' | 'putImageData' | 'drawImage'>;

const MATRIX_NAMES: Readonly<Record<number, VideoMatrixCoefficients>> = {
  1: 'bt709',
  5: 'bt470bg',
  6: 'smpte170m',
  9: 'bt2020-ncl' as VideoMatrixCoefficients,
};

/** Converts a whole picture to RGBA. `rgba` holds width x height pixels. */
export function i420ToRgba(picture: Picture, rgba: Uint8ClampedArray): void {
  const { width, height } = picture;
  const { y, u, v } = planesOf(picture);
  const { yScale, yOffset, rv, gu, gv, bu } = colourMatrix(picture.colour, picture);
  const chromaWidth = (width + 1) >> 1;
  let out = 0;
  for (let row = 0; row < height; row += 1) {
    const chromaRow = (row >> 1) * chromaWidth;
    for (let column = 0; column < width; column += 1) {
      const luma = ((y[row * width + column] ?? 0) - yOffset) * yScale;
      const chromaAt = chromaRow + (column >> 1);
      const cb = (u[chromaAt] ?? 128) - 128;
      const cr = (v[chromaAt] ?? 128) - 128;
      rgba[out] = luma + rv * cr;
      rgba[out + 1] = luma - gu * cb - gv * cr;
      rgba[out + 2] = luma + bu * cb;
      rgba[out + 3] = 255;
      out += 4;
    }
  }
}

/** A VideoFrame on a copy of the samples, or null where the browser has none or not for this matrix. */
function toVideoFrame(picture: Picture): VideoFrame | null {
  const matrix = MATRIX_NAMES[effectiveMatrixCode(picture.colour, picture)];
  if (typeof VideoFrame === 'undefined' || matrix === undefined) {
    return null;
  }
  return new VideoFrame(picture.buffer, {
    format: 'I420',
    codedWidth: picture.width,
    codedHeight: picture.height,
    timestamp: picture.ptsUs,
    // Only the matrix and the range are ours to undo; what they give is taken for sRGB, as every renderer here does.
    colorSpace: {
      matrix,
      fullRange: picture.colour.video_full_range_flag,
      primaries: 'bt709',
      transfer: 'iec61966-2-1',
    },
  });
}

/** The 2D renderer. */
export class Canvas2dRenderer implements Renderer {
  readonly kind = '2d';
  readonly #canvas: DrawingSurface;
  readonly #context: Context2d;
  #image: ImageData | null = null;

  private constructor(canvas: DrawingSurface, context: Context2d) {
    this.#canvas = canvas;
    this.#context = context;
  }

  /** Throws when the canvas has no 2D context either. */
  static create(canvas: DrawingSurface): Canvas2dRenderer {
    const context = canvas.getContext('2d', { alpha: false }) as Context2d | null;
    if (context === null) {
      throw new Error('This browser gives the canvas neither WebGL 2 nor a 2D context.');
    }
    return new Canvas2dRenderer(canvas, context);
  }

  draw(picture: Picture): void {
    const display = displaySize(picture);
    if (this.#canvas.width !== display.width || this.#canvas.height !== display.height) {
      this.#canvas.width = display.width;
      this.#canvas.height = display.height;
    }
    const frame = toVideoFrame(picture);
    if (frame === null) {
      this.#drawConverted(picture, display);
    } else {
      this.#context.drawImage(frame, 0, 0, display.width, display.height);
      frame.close();
    }
  }

  close(): void {
    this.#image = null;
  }

  #drawConverted(picture: Picture, display: { readonly width: number; readonly height: number }): void {
    const { width, height } = picture;
    let image = this.#image;
    if (image?.width !== width || image.height !== height) {
      image = this.#context.createImageData(width, height);
      this.#image = image;
    }
    i420ToRgba(picture, image.data);
    this.#context.putImageData(image, 0, 0);
    if (display.width !== width || display.height !== height) {
      const source = this.#canvas as unknown as CanvasImageSource;
      this.#context.drawImage(source, 0, 0, width, height, 0, 0, display.width, display.height);
    }
  }
}
