// Synthetic clips for encoder tests: a textured background that pans, a block that moves on its own, noise, cuts and fades, seeded.
// Every frame is a function of its index, so clips need no files and no memory.

import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { microseconds } from '../../shared/media/time.ts';
import { seededRandom } from './random.ts';

const { abs, cos, floor, max, min, round, sin } = Math;

export type MovingPictureOptions = {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Amplitude of noise added to each frame, 0..64. */
  readonly noise?: number;
  /** Frames between hard cuts; none when left out. */
  readonly cutEvery?: number;
  /** Still picture: nothing moves. */
  readonly isStill?: boolean;
  readonly fps?: number;
};

/** Makes frame `index` of a clip. */
export function movingPicture(options: MovingPictureOptions): (index: number) => I420Frame {
  const { width, height, seed, noise = 0, cutEvery = 0, isStill = false, fps = 25 } = options;
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;
  return (index) => {
    const scene = cutEvery > 0 ? floor(index / cutEvery) : 0;
    const random = seededRandom(seed * 7919 + scene * 104729 + 1);
    const [fx, fy, px, py] = [3 + random(29), 3 + random(23), random(7) - 3, random(5) - 2];
    const base = 60 + random(120);
    const time = isStill ? 0 : index;
    const grain = seededRandom(seed + 31 * index + 5);
    const bytes = new Uint8Array(i420ByteLength(width, height));
    const boxX = floor(width / 2 + (width / 3) * sin(time / 7));
    const boxY = floor(height / 2 + (height / 3) * cos(time / 5));
    const columns = Float64Array.from({ length: width }, (_, x) => base + 40 * sin((x + (px * time) / 2) / fx));
    const rows = Float64Array.from({ length: height }, (_, y) => 30 * cos((y + (py * time) / 4) / fy));
    for (let y = 0; y < height; y++) {
      const v = (y + (py * time) / 4) >> 3;
      for (let x = 0; x < width; x++) {
        let value = columns[x] + rows[y] + ((((x + (px * time) / 2) >> 3) ^ v) & 1) * 12;
        if (abs(x - boxX) < 20 && abs(y - boxY) < 14) {
          value = 235 - ((x - boxX) & 7) * 9;
        }
        bytes[y * width + x] = max(0, min(255, value + (noise > 0 ? grain(2 * noise + 1) - noise : 0)));
      }
    }
    let at = width * height;
    for (let plane = 0; plane < 2; plane++) {
      const wave = Float64Array.from({ length: chromaWidth + chromaHeight }, (_, i) =>
        sin((i + (plane + 1) * time) / (11 + plane)),
      );
      for (let y = 0; y < chromaHeight; y++) {
        for (let x = 0; x < chromaWidth; x++) {
          bytes[at++] = 128 + 50 * wave[x + y];
        }
      }
    }
    return packedI420(
      bytes,
      { width, height },
      { timestamp: microseconds(round((index * 1e6) / fps)), colour: UNSPECIFIED_COLOUR },
    );
  };
}

/** A moving picture that fades to black and back every `period` frames, colours too. */
export function fadingPicture(options: MovingPictureOptions, period: number): (index: number) => I420Frame {
  const moving = movingPicture(options);
  return (index) => {
    const frame = moving(index);
    const level = abs(1 - (2 * (index % period)) / period);
    const luma = frame.y.data;
    for (let i = 0; i < luma.length; i++) {
      luma[i] = 16 + (luma[i] - 16) * level;
    }
    for (const { data } of [frame.u, frame.v]) {
      for (let i = 0; i < data.length; i++) {
        data[i] = 128 + (data[i] - 128) * level;
      }
    }
    return frame;
  };
}

/** Every sample at random over the whole range, new in each frame: the largest residuals that there are. */
export function noisePicture(
  options: Pick<MovingPictureOptions, 'width' | 'height' | 'seed' | 'fps'>,
): (index: number) => I420Frame {
  const { width, height, seed, fps = 25 } = options;
  return (index) => {
    const random = seededRandom(seed + 7919 * index + 1);
    const bytes = new Uint8Array(i420ByteLength(width, height));
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = random(256);
    }
    const timestamp = microseconds(round((index * 1e6) / fps));
    return packedI420(bytes, { width, height }, { timestamp, colour: UNSPECIFIED_COLOUR });
  };
}
