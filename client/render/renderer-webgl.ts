// Draws I420 with WebGL 2: three one-byte textures, one fragment shader that applies the colour matrix. Chroma is sampled where
// H.264 puts it by default (left of the luma pair, between the lines; E.2.1 chroma_sample_loc_type 0).

import { displaySize, planesOf, type Picture } from '../media/picture.ts';
import { colourMatrix } from './colour-matrix.ts';
import type { DrawingSurface, Renderer } from './renderer.ts';

const VERTEX_SHADER = `#version 300 es
out vec2 position;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  position = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT_SHADER = `#version 300 es
precision highp float;
uniform sampler2D planeY;
uniform sampler2D planeU;
uniform sampler2D planeV;
uniform vec2 luma;     // scale, offset
uniform vec4 chroma;   // rv, gu, gv, bu
uniform vec2 chromaScale; // luma position to chroma texture position
uniform float chromaShift; // half a luma sample
in vec2 position;
out vec4 colour;
void main() {
  vec2 at = vec2((position.x + chromaShift) * chromaScale.x, position.y * chromaScale.y);
  float y = (texture(planeY, position).r - luma.y) * luma.x;
  float u = texture(planeU, at).r - 128.0 / 255.0;
  float v = texture(planeV, at).r - 128.0 / 255.0;
  colour = vec4(y + chroma.x * v, y - chroma.y * u - chroma.z * v, y + chroma.w * u, 1.0);
}`;

function compile(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const shader = gl.createShader(type);
  if (shader === null) {
    throw new Error('The graphics context is lost.');
  }
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}

function createTexture(gl: WebGL2RenderingContext, unit: number): void {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
}

type Uniforms = Readonly<Record<'luma' | 'chroma' | 'chromaScale' | 'chromaShift', WebGLUniformLocation | null>>;

/** WebGL 2 renderer. A lost context is set up again at the next picture. */
export class WebglRenderer implements Renderer {
  readonly kind = 'webgl';
  readonly #canvas: DrawingSurface;
  readonly #gl: WebGL2RenderingContext;
  #uniforms: Uniforms | null = null;
  #size = '';

  private constructor(canvas: DrawingSurface, gl: WebGL2RenderingContext) {
    this.#canvas = canvas;
    this.#gl = gl;
  }

  /** Null where WebGL 2 is not to be had. */
  static create(canvas: DrawingSurface): WebglRenderer | null {
    const options = { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true };
    const gl = canvas.getContext('webgl2', options) as WebGL2RenderingContext | null;
    if (gl === null) {
      return null;
    }
    const renderer = new WebglRenderer(canvas, gl);
    renderer.#uniforms = renderer.#prepare();
    return renderer.#uniforms === null ? null : renderer;
  }

  draw(picture: Picture): void {
    const gl = this.#gl;
    if (gl.isContextLost()) {
      this.#uniforms = null;
      return;
    }
    this.#uniforms ??= this.#prepare();
    if (this.#uniforms === null) {
      return;
    }
    this.#fit(picture, this.#uniforms);
    const { y, u, v } = planesOf(picture);
    const chromaWidth = (picture.width + 1) >> 1;
    const chromaHeight = (picture.height + 1) >> 1;
    this.#upload(0, y, picture.width, picture.height);
    this.#upload(1, u, chromaWidth, chromaHeight);
    this.#upload(2, v, chromaWidth, chromaHeight);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.flush();
  }

  close(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  #prepare(): Uniforms | null {
    const gl = this.#gl;
    const program = gl.createProgram();
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX_SHADER));
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT_SHADER));
    gl.linkProgram(program);
    if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true) {
      return null;
    }
    gl.useProgram(program);
    ['planeY', 'planeU', 'planeV'].forEach((name, unit) => {
      createTexture(gl, unit);
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
    });
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.disable(gl.DITHER);
    this.#size = '';
    return {
      luma: gl.getUniformLocation(program, 'luma'),
      chroma: gl.getUniformLocation(program, 'chroma'),
      chromaScale: gl.getUniformLocation(program, 'chromaScale'),
      chromaShift: gl.getUniformLocation(program, 'chromaShift'),
    };
  }

  #fit(picture: Picture, uniforms: Uniforms): void {
    const { width, height, colour } = picture;
    const key = [
      width,
      height,
      ...picture.sampleAspect,
      colour.matrix_coefficients,
      colour.video_full_range_flag,
    ].join();
    if (key === this.#size) {
      return;
    }
    this.#size = key;
    const display = displaySize(picture);
    this.#canvas.width = display.width;
    this.#canvas.height = display.height;
    const gl = this.#gl;
    gl.viewport(0, 0, display.width, display.height);
    const matrix = colourMatrix(colour, picture);
    gl.uniform2f(uniforms.luma, matrix.yScale, matrix.yOffset / 255);
    gl.uniform4f(uniforms.chroma, matrix.rv, matrix.gu, matrix.gv, matrix.bu);
    // An odd picture's chroma planes reach half a sample beyond it.
    gl.uniform2f(uniforms.chromaScale, width / (2 * ((width + 1) >> 1)), height / (2 * ((height + 1) >> 1)));
    gl.uniform1f(uniforms.chromaShift, 0.5 / width);
  }

  #upload(unit: number, plane: Uint8Array, width: number, height: number): void {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, width, height, 0, gl.RED, gl.UNSIGNED_BYTE, plane);
  }
}
