// Seeded cases for the encoder: a configuration drawn from everything that it takes, a synthetic clip, and what is asked of single
// pictures. Each case is a function of its seed, so that a failing one can be run alone. Most pictures are small; one case in fifteen is
// up to 1920x1080.

import type {
  EncodeOptions,
  EncoderConfig,
  EncoderPreset,
  EncoderProfile,
} from '../../shared/codec/h264/codec-types.ts';
import { BT709_LIMITED } from '../../shared/media/colour.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { fadingPicture, movingPicture, noisePicture } from './moving-picture.ts';
import { seededRandom } from './random.ts';
import { scrollingText } from './scrolling-text.ts';
import { textPage } from './text-page.ts';

/** One clip to encode. */
export type EncoderCase = {
  readonly seed: number;
  readonly config: EncoderConfig;
  /** What the pictures show. */
  readonly content: string;
  readonly frames: number;
  readonly frameAt: (index: number) => I420Frame;
  readonly optionsAt: (index: number) => EncodeOptions;
};

type Draw = ReturnType<typeof seededRandom>;
type Size = { readonly width: number; readonly height: number };

export const PRESETS: readonly EncoderPreset[] = ['ultrafast', 'fast', 'balanced', 'quality'];
export const PROFILES: readonly EncoderProfile[] = ['baseline', 'main', 'high'];
const FRAMERATES = [
  { numerator: 30, denominator: 1 },
  { numerator: 30000, denominator: 1001 },
  { numerator: 12, denominator: 1 },
];
const MEDIUM_SIZES: readonly Size[] = [
  { width: 640, height: 360 },
  { width: 641, height: 359 },
  { width: 720, height: 577 },
];
const BIG_SIZES: readonly Size[] = [
  { width: 1920, height: 1080 },
  { width: 1279, height: 721 },
  { width: 1919, height: 1079 },
  { width: 1280, height: 720 },
];

const pick = <T>(random: Draw, choices: readonly T[]): T => choices[random(choices.length)];
/** True once in `n`. */
const oneIn = (random: Draw, n: number): boolean => random(n) === 0;

/** Size and number of frames. */
function drawExtent(random: Draw, seed: number): Size & { readonly frames: number } {
  if (seed % 15 === 0) {
    return { ...BIG_SIZES[(seed / 15) % BIG_SIZES.length], frames: 2 + random(2) };
  }
  if (seed % 15 === 7) {
    return { ...pick(random, MEDIUM_SIZES), frames: 3 + random(3) };
  }
  const isTiny = seed === 1 || oneIn(random, 12);
  const side = (): number => 16 + (seed === 1 ? 0 : random(isTiny ? 2 : 180));
  return { width: side(), height: side(), frames: 3 + random(8) };
}

function drawPictures(random: Draw, size: Size): Pick<EncoderCase, 'content' | 'frameAt'> {
  const seed = random(1 << 20);
  switch (random(8)) {
    case 0:
      return { content: 'text', frameAt: textPage({ ...size, seed, windowWidth: 2 * random(size.width >> 2) }) };
    case 1:
      return { content: 'scrolling', frameAt: scrollingText({ ...size, seed, linesPerFrame: random(9) }) };
    case 2:
      return { content: 'fade', frameAt: fadingPicture({ ...size, seed, noise: random(3) }, 3 + random(6)) };
    case 3:
      return { content: 'noise', frameAt: noisePicture({ ...size, seed }) };
    case 4:
      return { content: 'still', frameAt: movingPicture({ ...size, seed, isStill: true, noise: random(2) }) };
    case 5:
      return { content: 'cuts', frameAt: movingPicture({ ...size, seed, cutEvery: 2 + random(3), noise: random(9) }) };
    default:
      return { content: 'motion', frameAt: movingPicture({ ...size, seed, noise: pick(random, [0, 4, 12, 60]) }) };
  }
}

function drawRateControl(random: Draw, seed: number, { width, height }: Size): EncoderConfig['rateControl'] {
  if (seed % 5 !== 4) {
    return { kind: 'qp', qp: (19 * seed) % 52 }; // every QP within 104 seeds, as 19 has no factor of 52
  }
  const kbps = 30 + random(600) + ((width * height) >> 9);
  return {
    kind: 'bitrate',
    kbps,
    ...(oneIn(random, 3) ? { maxKbps: 2 * kbps } : {}),
    ...(oneIn(random, 3) ? { bufferMs: 200 } : {}),
  };
}

/** How pictures refer to each other: groups, layers, long-term references, intra refresh. */
function drawStructure(random: Draw): { readonly config: Partial<EncoderConfig>; readonly isLongTerm: boolean } {
  const layers = pick(random, [1, 1, 2, 3] as const);
  if (oneIn(random, 8)) {
    return { config: { keyint: 'infinite', intraRefresh: 2 + random(8) }, isLongTerm: false };
  }
  if (oneIn(random, 7)) {
    const longTermReferences = pick(random, [1, 2] as const);
    return { config: { keyint: 'infinite', layers, longTermReferences }, isLongTerm: true };
  }
  return { config: { keyint: pick(random, [1, 3, 7, 'infinite'] as const), layers }, isLongTerm: false };
}

/** Makes the case of a seed, 1 or more. */
export function encoderCase(seed: number): EncoderCase {
  const random = seededRandom(seed * 2654435 + 17);
  const { frames, ...size } = drawExtent(random, seed);
  const profile = pick(random, PROFILES);
  const structure = drawStructure(random);
  const threads = pick(random, [1, 1, 2, 3, 4]);
  const config: EncoderConfig = {
    ...size,
    framerate: pick(random, FRAMERATES),
    rateControl: drawRateControl(random, seed, size),
    preset: pick(random, PRESETS),
    profile,
    entropy: profile === 'baseline' || oneIn(random, 3) ? 'cavlc' : 'cabac',
    tune: pick(random, ['camera', 'screen', 'psnr'] as const),
    threads,
    ...structure.config,
    ...(oneIn(random, 2) ? { slices: pick(random, [1, 2, 3, 5, 9]) } : {}),
    ...(profile !== 'baseline' && oneIn(random, 3) ? { weightedPrediction: true } : {}),
    ...(oneIn(random, 6) ? { sampleAspect: [4, 3] as const } : {}),
    ...(oneIn(random, 4) ? { colour: BT709_LIMITED } : {}),
  };
  const keyAt = structure.isLongTerm ? frames : 1 + random(2 * frames);
  const hasCaptureTimes = oneIn(random, 4);
  return {
    seed,
    config,
    frames,
    ...drawPictures(random, size),
    optionsAt: (index) => ({
      keyFrame: index === keyAt,
      ...(structure.isLongTerm && index === 1 ? { keepLongTerm: true } : {}),
      ...(structure.isLongTerm && index > 1 && index % 3 === 0 ? { predictFrom: 0 } : {}),
      ...(hasCaptureTimes ? { captureTime: microseconds(1_790_000_000_000_000 + index) } : {}),
    }),
  };
}

/** The case in a line, for the name of a test. */
export function describeCase({ seed, config, content, frames }: EncoderCase): string {
  const { width, height, rateControl, preset, profile, entropy, tune, layers = 1, threads, slices } = config;
  const rate = rateControl.kind === 'qp' ? `QP ${rateControl.qp}` : `${rateControl.kbps} kbit/s`;
  const cut = `${threads} threads, ${slices ?? 'their'} slices`;
  return `${seed}: ${frames} of ${width}x${height} ${content}, ${preset} ${profile} ${entropy} ${tune}, ${rate}, ${layers} layers, ${cut}`;
}

/** How often the cases have each value of each parameter. */
export function coverageOf(cases: readonly EncoderCase[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const coverage = new Map<string, Map<string, number>>();
  const count = (parameter: string, value: string | number): void => {
    const values = coverage.get(parameter) ?? new Map<string, number>();
    coverage.set(parameter, values.set(String(value), (values.get(String(value)) ?? 0) + 1));
  };
  for (const { config, content, frames } of cases) {
    const { width, height, rateControl, layers = 1, slices } = config;
    count('preset, profile', `${config.preset} ${config.profile}`);
    count('entropy', config.entropy ?? 'default');
    count('tune', config.tune ?? 'default');
    count('QP', rateControl.kind === 'qp' ? rateControl.qp : 'by rate');
    count('layers', layers);
    count('slices', slices ?? 'as threads');
    count('threads', config.threads ?? 1);
    count(
      'longer side',
      `up to ${[16, 64, 128, 256, 720, 1920].find((side) => Math.max(width, height) <= side) ?? 'more'}`,
    );
    count('odd', `${width % 2 === 0 ? 'even' : 'odd'} x ${height % 2 === 0 ? 'even' : 'odd'}`);
    count(
      'structure',
      config.intraRefresh !== undefined
        ? 'refresh'
        : (config.longTermReferences ?? 0) > 0
          ? 'long-term'
          : `keyint ${config.keyint}`,
    );
    count('content', content);
    count('frames', frames);
  }
  return coverage;
}

/** The coverage as a table, a parameter per line. */
export function coverageTable(cases: readonly EncoderCase[]): string {
  return [...coverageOf(cases)]
    .map(([parameter, values]) => {
      const sorted = [...values].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
      return `  ${parameter.padEnd(16)}${sorted.map(([value, times]) => `${value}: ${times}`).join('  ')}\n`;
    })
    .join('');
}
