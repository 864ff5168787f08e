// Picks the renderer for a canvas: WebGL 2 where it is to be had, else 2D. Used in the decode worker and, where a canvas cannot be
// handed to a worker, on the page.

import { Canvas2dRenderer } from './renderer-2d.ts';
import { WebglRenderer } from './renderer-webgl.ts';
import type { DrawingSurface, Renderer } from './renderer.ts';

/** The best renderer that this canvas can have. Throws when it can have none. */
export function createRenderer(canvas: DrawingSurface): Renderer {
  return WebglRenderer.create(canvas) ?? Canvas2dRenderer.create(canvas);
}
