// What an encoder configuration owns: memory, pictures, structure, rate control and the coding state. Called by H264Encoder.configure.

import type { EncoderConfig, EncoderTune } from '../codec-types.ts';
import { CodecMemory } from '../kernels/codec-memory.ts';
import { createEncoderKernels } from '../kernels/encoder-kernels.ts';
import { GopStructure, referencesKept } from './gop-structure.ts';
import { IntraRefresh } from './intra-refresh.ts';
import { type ParameterSets, parameterSetsOf } from './parameter-sets.ts';
import { type AnalysisOptions, PictureAnalysis } from './picture-analysis.ts';
import { pictureEncoderBytes, PictureEncoder } from './picture-encoder.ts';
import { allocatePicture, allocateSource, type CodedSize, type EncoderPicture, pictureBytes } from './picture-store.ts';
import { defaultProfileOf, toolsOf } from './presets.ts';
import { RateControl } from './rate-control.ts';
import { StatisticsMeter } from './statistics.ts';

const { ceil, min } = Math;

/** What each tune does with QP within a picture. */
const SPREADS: Readonly<Record<EncoderTune, AnalysisOptions['spread']>> = {
  camera: 'by-energy',
  screen: 'text-finer',
  psnr: 'even',
};

/** Everything that a configuration owns. */
export type Session = {
  config: EncoderConfig;
  readonly memory: CodecMemory;
  readonly size: CodedSize;
  source: EncoderPicture;
  /** The source of the picture coded before, with the screen tune. */
  previousSource: EncoderPicture | null;
  /** Null where nothing asks for it: constant QP without adaptive quantisation. */
  readonly analysis: PictureAnalysis | null;
  readonly gop: GopStructure;
  readonly refresh: IntraRefresh | null;
  readonly pictures: PictureEncoder;
  readonly rate: RateControl;
  readonly meter: StatisticsMeter;
  readonly sets: ParameterSets;
  /** QP offsets where there is no adaptive quantisation. */
  readonly noOffsets: Int8Array;
  sceneCuts: number;
};

/** Makes what a validated configuration needs. `now` is a clock in milliseconds for statistics. */
export function openSession(config: EncoderConfig, now: (() => number) | null): Session {
  const preset = config.preset ?? 'fast';
  const profile = config.profile ?? defaultProfileOf(preset);
  const size = { width: (config.width + 15) & ~15, height: (config.height + 15) & ~15 };
  const full = toolsOf(preset, profile, config.entropy);
  const tune = config.tune ?? 'camera';
  const isSpread = tune !== 'psnr' || config.rateControl.kind === 'bitrate';
  const weighted = config.weightedPrediction ?? (full.weighted && isSpread);
  // Intra refresh knows of one picture before what is clean in it.
  const references = config.intraRefresh === undefined ? full.references : 1;
  const tools = { ...full, references, weighted };
  const layers = config.layers ?? 1;
  const longTerm = config.longTermReferences ?? 0;
  const kept = referencesKept(tools.references, layers, longTerm);
  const bytes =
    (kept + 2 + (tune === 'screen' ? 1 : 0) + (weighted ? 1 : 0)) * pictureBytes(size) +
    pictureEncoderBytes(size) +
    PictureAnalysis.bytes(size) +
    StatisticsMeter.BYTES +
    4096;
  const memory = CodecMemory.create(bytes);
  const kernels = createEncoderKernels(memory.memory, config.kernels ?? 'wasm');
  const sets = parameterSetsOf({ ...config, profile }, tools, kept);
  const slices = min(config.slices ?? 1, size.height >> 4);
  const source = allocateSource(memory, size);
  const targets = Array.from({ length: kept + 1 }, () => allocatePicture(memory, size));
  const needsAnalysis = isSpread || weighted;
  const { numerator, denominator } = config.framerate;
  const keyint = config.keyint ?? ceil((2 * numerator) / denominator);
  const pictures = new PictureEncoder(kernels, memory, size, sets, tools, slices, now);
  return {
    config,
    memory,
    size,
    source,
    previousSource: tune === 'screen' ? allocateSource(memory, size) : null,
    analysis: needsAnalysis
      ? new PictureAnalysis(kernels, memory, size, { spread: SPREADS[tune], findsFades: weighted })
      : null,
    gop: new GopStructure(
      { keyint, layers, references: tools.references, longTerm, MaxFrameNum: sets.MaxFrameNum },
      targets,
    ),
    refresh: config.intraRefresh === undefined ? null : new IntraRefresh(size.width >> 4, config.intraRefresh),
    pictures,
    meter: new StatisticsMeter(kernels, memory, pictures.state),
    rate: new RateControl(config.rateControl, (size.width * size.height) >> 8),
    sets,
    noOffsets: new Int8Array((size.width * size.height) >> 8),
    sceneCuts: 0,
  };
}
