// Picks the renderer for a canvas: WebGL 2 on graphics hardware, else 2D, which costs less than a WebGL that the processor emulates.
// Used in the decode worker and, where a canvas cannot be handed to a worker, on the page.

import { Canvas2dRenderer } from './renderer-2d.ts';
import { WebglRenderer } from './renderer-webgl.ts';
import type { DrawingSurface, Renderer } from './renderer.ts';

/** `auto`, or one of them where it can be had at all. */
export type RendererChoice = 'auto' | Renderer['kind'];

const EMULATED = /swiftshader|llvmpipe|softpipe|software|basic render/i;

// A canvas that once had one kind of context can never have another, so the question is put to a canvas of its own.
function hasGraphicsHardware(): boolean {
  if (typeof OffscreenCanvas === 'undefined') {
    return true;
  }
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (gl === null) {
    return false;
  }
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = names === null ? '' : gl.getParameter(names.UNMASKED_RENDERER_WEBGL);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !EMULATED.test(String(renderer));
}

/** The best renderer that this canvas can have. Throws when it can have none. */
export function createRenderer(canvas: DrawingSurface, choice: RendererChoice = 'auto'): Renderer {
  const isWebglWanted = choice === 'webgl' || (choice === 'auto' && hasGraphicsHardware());
  const webgl = isWebglWanted ? WebglRenderer.create(canvas) : null;
  return webgl ?? Canvas2dRenderer.create(canvas);
}
