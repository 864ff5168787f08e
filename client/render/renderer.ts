// The role of a renderer: draws packed I420 pictures on a canvas in the right colours and shape. Implemented by renderer-webgl.ts
// and renderer-2d.ts; create-renderer.ts picks one.

import type { Picture } from '../media/picture.ts';

/** What both kinds of canvas have in common. */
export type DrawingSurface = {
  width: number;
  height: number;
  getContext(kind: string, options?: object): unknown;
};

export interface Renderer {
  readonly kind: 'webgl' | '2d';
  /** Draws now. The picture's buffer is not kept. Sets the canvas to the picture's display size. */
  draw(picture: Picture): void;
  /** Gives the graphics resources back. */
  close(): void;
}
