// Mixed content for rate control tests at any size and length, made fast enough for minutes of it: a pan, slides (still, changing at
// once), cuts, noise, fades to black and back, and a talking-head like part (still background, small motion, grain). Parts follow each
// other and are functions of the frame's index.

import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { seededRandom } from './random.ts';

const { abs, floor, max, min, round, sin } = Math;

/** Kinds of parts, in their order. */
export const CONTENT_PARTS = ['pan', 'slides', 'noise', 'cuts', 'fades', 'talk'] as const;
type ContentPart = (typeof CONTENT_PARTS)[number];

export type MixedContentOptions = {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Frames of each part. */
  readonly partFrames: number;
  readonly seed?: number;
};

/** Samples by which a texture is wider and higher than the picture, so that it can pan. */
const MARGIN = 128;
const TEXTURES = 6;
const GRAIN_BYTES = 65_537;

type Texture = { readonly stride: number; readonly luma: Uint8Array };

/** Waves, edges and a little fixed grain. */
function textureOf(width: number, height: number, seed: number): Texture {
  const random = seededRandom(seed * 7919 + 3);
  const stride = width + MARGIN;
  const luma = new Uint8Array(stride * (height + MARGIN));
  const [fx, fy, shift, base] = [5 + random(40), 4 + random(30), 3 + random(3), 70 + random(90)];
  for (let y = 0; y < height + MARGIN; y++) {
    const row = 28 * sin(y / fy);
    for (let x = 0; x < stride; x++) {
      const blocks = ((x >> shift) ^ (y >> (shift + 1))) & 3;
      luma[y * stride + x] = max(16, min(235, base + row + 36 * sin((x + y / 3) / fx) + 9 * blocks + random(5)));
    }
  }
  return { stride, luma };
}

/** The part that frame `index` belongs to; they repeat. */
function partOf(index: number, partFrames: number): ContentPart {
  return CONTENT_PARTS[floor(index / partFrames) % CONTENT_PARTS.length];
}

/** Makes frame `index` of the content. */
export function mixedContent(options: MixedContentOptions): (index: number) => I420Frame {
  const { width, height, fps, partFrames, seed = 1 } = options;
  const textures = Array.from({ length: TEXTURES }, (_, i) => textureOf(width, height, 10 * seed + i));
  const random = seededRandom(seed + 99);
  const grain = Int8Array.from({ length: GRAIN_BYTES }, () => random(129) - 64);
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;

  /** Copies a texture at an offset, noise of 0..64 added. */
  const draw = (bytes: Uint8Array, texture: Texture, offset: number, noise: number, start: number): void => {
    for (let y = 0; y < height; y++) {
      const from = (y + (offset >> 1)) * texture.stride + offset;
      if (noise === 0) {
        bytes.set(texture.luma.subarray(from, from + width), y * width);
        continue;
      }
      let at = (start + y * 7919) % (GRAIN_BYTES - width);
      for (let x = 0; x < width; x++) {
        const value = texture.luma[from + x] + ((grain[at++] * noise) >> 6);
        bytes[y * width + x] = value < 0 ? 0 : value > 255 ? 255 : value;
      }
    }
  };

  const dim = (bytes: Uint8Array, level: number): void => {
    const table = Uint8Array.from({ length: 256 }, (_, value) => 16 + (value - 16) * level);
    for (let i = 0; i < width * height; i++) {
      bytes[i] = table[bytes[i]];
    }
  };

  const box = (bytes: Uint8Array, index: number): void => {
    const [left, top] = [floor(width * (0.4 + 0.04 * sin(index / 9))), floor(height * (0.3 + 0.03 * sin(index / 5)))];
    for (let y = top; y < top + height / 3; y++) {
      const row = y * width + left;
      for (let x = 0; x < width / 4; x++) {
        bytes[row + x] = 90 + ((x * 5 + y * 3) & 63);
      }
    }
  };

  return (index) => {
    const part = partOf(index, partFrames);
    const bytes = new Uint8Array(i420ByteLength(width, height));
    const start = (index * 104_729) % GRAIN_BYTES;
    const zigzag = abs(((2 * index) % (2 * MARGIN)) - MARGIN);
    const round3 = floor(index / (3 * fps));
    switch (part) {
      case 'pan':
        draw(bytes, textures[0], zigzag, 0, start);
        break;
      case 'slides':
        draw(bytes, textures[round3 % TEXTURES], 0, 0, start);
        break;
      case 'noise':
        draw(bytes, textures[1], zigzag, 36, start);
        break;
      case 'cuts':
        draw(bytes, textures[floor(index / (fps / 2)) % TEXTURES], zigzag, 4, start);
        break;
      case 'fades':
        draw(bytes, textures[round3 % TEXTURES], zigzag >> 1, 2, start);
        dim(bytes, abs(1 - (index % (2 * fps)) / fps));
        break;
      case 'talk':
        draw(bytes, textures[3], 0, 3, start);
        box(bytes, index);
        break;
    }
    const scene = part === 'cuts' ? floor(index / (fps / 2)) : part === 'slides' ? round3 : 0;
    for (let y = 0; y < chromaHeight; y++) {
      const row = width * height + y * chromaWidth;
      const [u, v] = [110 + ((y >> 3) & 15) + 5 * (scene & 3), 140 - ((y >> 4) & 15)];
      bytes.fill(u, row, row + chromaWidth);
      bytes.fill(v, row + chromaWidth * chromaHeight, row + chromaWidth * (chromaHeight + 1));
    }
    return packedI420(
      bytes,
      { width, height },
      { timestamp: microseconds(round((index * 1e6) / fps)), colour: UNSPECIFIED_COLOUR },
    );
  };
}
