// Draws I420 where there is no WebGL: converts on the processor and puts the pixels on a 2D canvas. Chroma is taken from the nearest
// sample.

import { displaySize, planesOf, type Picture } from '../media/picture.ts';
import { colourMatrix } from './colour-matrix.ts';
import type { DrawingSurface, Renderer } from './renderer.ts';

type Context2d = Pick<OffscreenCanvasRenderingContext2D, 'createImageData' | 'putImageData' | 'drawImage'>;

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

/** The fallback renderer. */
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
    const { width, height } = picture;
    let image = this.#image;
    if (image?.width !== width || image.height !== height) {
      image = this.#context.createImageData(width, height);
      this.#image = image;
    }
    i420ToRgba(picture, image.data);
    const display = displaySize(picture);
    if (this.#canvas.width !== display.width || this.#canvas.height !== display.height) {
      this.#canvas.width = display.width;
      this.#canvas.height = display.height;
    }
    this.#context.putImageData(image, 0, 0);
    if (display.width !== width || display.height !== height) {
      this.#stretch(width, height, display);
    }
  }

  close(): void {
    this.#image = null;
  }

  #stretch(width: number, height: number, display: { readonly width: number; readonly height: number }): void {
    this.#context.drawImage(
      this.#canvas as unknown as CanvasImageSource,
      0,
      0,
      width,
      height,
      0,
      0,
      display.width,
      display.height,
    );
  }
}
