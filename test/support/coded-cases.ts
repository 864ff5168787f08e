// Seeded cases for the decoder: synthetic pictures coded by x264 under options drawn at random from everything that it can do in
// 4:2:0 and 4:0:0 with 8 bits. Each case is a function of its seed.

import { spawnSync } from 'node:child_process';
import type { I420Frame } from '../../shared/media/frame.ts';
import { movingPicture } from './moving-picture.ts';
import { seededRandom } from './random.ts';
import { scrollingText } from './scrolling-text.ts';

/** One stream to decode. */
export type CodedCase = {
  readonly seed: number;
  /** What x264 was asked for. */
  readonly options: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly isMonochrome: boolean;
  /** Annex B. */
  readonly stream: Uint8Array;
};

type Draw = ReturnType<typeof seededRandom>;

const pick = <T>(random: Draw, choices: readonly T[]): T => choices[random(choices.length)];
/** True once in `n`. */
const oneIn = (random: Draw, n: number): boolean => random(n) === 0;
const between = (random: Draw, low: number, high: number): number => low + random(high - low + 1);

/** ffmpeg's decoder takes no more than 32 slices per picture. */
const MAX_SLICES = '28';

/** 4x4 or 8x8 scaling list of x264: entries 1..255. */
const scalingList = (random: Draw, length: number): string =>
  Array.from({ length }, () => between(random, 6, 60)).join(',');

function cqmOptions(random: Draw): string[] {
  const kind = random(4);
  if (kind === 0) {
    return ['--cqm', 'jvt'];
  }
  if (kind === 1) {
    return ['--cqm4', scalingList(random, 16), '--cqm8', scalingList(random, 64)];
  }
  if (kind === 2) {
    return ['--cqm4iy', scalingList(random, 16), '--cqm4pc', scalingList(random, 16)];
  }
  return ['--cqm8i', scalingList(random, 64), '--cqm8p', scalingList(random, 64)];
}

function rateOptions(random: Draw): string[] {
  switch (random(6)) {
    case 0:
      return ['--qp', String(between(random, 1, 12))];
    case 1:
      return ['--qp', String(between(random, 40, 51))];
    case 2:
      return ['--crf', String(between(random, 10, 40)), '--qpstep', String(between(random, 4, 30))];
    case 3:
      return ['--bitrate', String(between(random, 40, 2000)), '--aq-mode', pick(random, ['0', '1', '2', '3'])];
    default:
      return ['--qp', String(between(random, 16, 36))];
  }
}

function interlaceOptions(random: Draw): string[] {
  return pick(random, [['--tff'], ['--bff'], ['--tff'], ['--fake-interlaced']]);
}

/** Options of one case; `isInterlaced` asks that the height be a multiple of 4. */
function drawOptions(random: Draw): { readonly options: string[]; readonly isInterlaced: boolean } {
  const profile = pick(random, ['baseline', 'main', 'high', 'high', 'high']);
  const options = ['--profile', profile, ...rateOptions(random)];
  const add = (...more: string[]): void => void options.push(...more);
  add('--preset', pick(random, ['superfast', 'faster', 'medium', 'slow']));
  add('--ref', String(between(random, 1, oneIn(random, 4) ? 16 : 5)));
  add('--subme', String(between(random, 0, 9)), '--me', pick(random, ['dia', 'hex', 'umh']));
  add('--partitions', pick(random, ['all', 'none', 'p8x8,b8x8,i8x8,i4x4', 'p8x8,p4x4,i4x4', 'i4x4', 'b8x8,i8x8']));
  add('--keyint', String(pick(random, [1, 4, 9, 30, 250])), '--scenecut', pick(random, ['0', '40']));
  add('--deblock', `${between(random, -6, 6)}:${between(random, -6, 6)}`);
  add('--chroma-qp-offset', String(between(random, -12, 12)));
  if (oneIn(random, 8)) {
    add('--no-deblock');
  }
  if (oneIn(random, 3)) {
    add('--slices', String(between(random, 2, 6)));
  } else if (oneIn(random, 4)) {
    add('--slice-max-mbs', String(between(random, 1, 40)), '--slices-max', MAX_SLICES);
  } else if (oneIn(random, 6)) {
    add('--slice-max-size', String(between(random, 60, 600)), '--slices-max', MAX_SLICES);
  }
  if (oneIn(random, 6)) {
    add('--intra-refresh');
  }
  if (oneIn(random, 4)) {
    add('--aud');
  }
  add('--weightp', profile === 'baseline' ? '0' : pick(random, ['0', '1', '2', '2']));
  let isInterlaced = false;
  if (profile !== 'baseline') {
    add(...(oneIn(random, 3) ? ['--no-cabac'] : []));
    add('--bframes', String(pick(random, [0, 1, 2, 3, 5, 8])), '--b-adapt', pick(random, ['0', '1', '2']));
    add(
      '--b-pyramid',
      pick(random, ['none', 'strict', 'normal']),
      '--direct',
      pick(random, ['none', 'spatial', 'temporal', 'auto']),
    );
    add(...(oneIn(random, 3) ? ['--no-weightb'] : []));
    add(...(oneIn(random, 4) ? ['--open-gop'] : []));
    if (oneIn(random, 3)) {
      const interlace = interlaceOptions(random);
      add(...interlace);
      isInterlaced = true;
    }
  }
  if (!isInterlaced && oneIn(random, 3)) {
    add('--constrained-intra'); // x264 breaks the rule itself in MBAFF frames
  }
  if (profile === 'high') {
    add(...(oneIn(random, 4) ? ['--no-8x8dct'] : ['--8x8dct']));
    add(...(oneIn(random, 3) ? cqmOptions(random) : []));
    add(...(oneIn(random, 8) ? ['--output-csp', 'i400'] : []));
  }
  return { options, isInterlaced };
}

/** Pictures of one case: pans, noise, cuts, stills, flat areas or scrolling text. */
function drawPictures(random: Draw, width: number, height: number): (index: number) => I420Frame {
  if (oneIn(random, 4)) {
    return scrollingText({ width, height, seed: random(1 << 20), linesPerFrame: random(9) });
  }
  return movingPicture({
    width,
    height,
    seed: random(1 << 20),
    noise: pick(random, [0, 0, 3, 12, 60]),
    cutEvery: pick(random, [0, 0, 3, 7]),
    isStill: oneIn(random, 5),
  });
}

function toY4m(frames: readonly I420Frame[], width: number, height: number): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from(`YUV4MPEG2 W${width} H${height} F25:1 Ip A1:1 C420jpeg\n`)];
  for (const frame of frames) {
    pieces.push(Buffer.from('FRAME\n'));
    for (const plane of [frame.y, frame.u, frame.v]) {
      for (let row = 0; row < plane.height; row++) {
        pieces.push(plane.data.subarray(row * plane.stride, row * plane.stride + plane.width));
      }
    }
  }
  return Buffer.concat(pieces);
}

/** Makes the case of a seed; `maxSide` bounds the picture's width and height. Null when x264 refuses the options. */
export function codedCase(seed: number, maxSide = 160): CodedCase | null {
  const random = seededRandom(seed * 2654435761);
  const { options, isInterlaced } = drawOptions(random);
  const step = isInterlaced ? 4 : 2;
  const side = (): number => step * between(random, 16 / step, maxSide / step);
  const [width, height] = [side(), side()];
  const count = between(random, 2, 14);
  const pictures = drawPictures(random, width, height);
  const frames = Array.from({ length: count }, (_, i) => pictures(i));
  const result = spawnSync(
    'x264',
    ['--threads', '1', '--demuxer', 'y4m', '--muxer', 'raw', ...options, '-o', '-', '-'],
    { input: toY4m(frames, width, height), maxBuffer: 1 << 28 },
  );
  if (result.status !== 0 || result.stdout.length === 0) {
    return null;
  }
  return { seed, options, width, height, isMonochrome: options.includes('i400'), stream: result.stdout };
}
