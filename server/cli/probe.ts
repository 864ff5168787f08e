// `tessera probe FILE`: what a raw H.264 file, or the video track of an FLV, MP4, MOV or MKV file, holds: profile, sizes, rate, groups of
// pictures; with --headers every header field, with --macroblocks every macroblock of one frame.

import type { Command } from 'commander';
import type { DecodeErrorReport } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder, type DecoderTrace } from '../../shared/codec/h264/decoder.ts';
import type { MacroblockStages } from '../../shared/codec/h264/decoder/macroblock-stages.ts';
import { parsePps } from '../../shared/codec/h264/syntax/pps.ts';
import { NAL_UNIT_TYPE, parseNalUnit, type NalHeader } from '../../shared/codec/h264/syntax/nal-unit.ts';
import { parseSei } from '../../shared/codec/h264/syntax/sei.ts';
import type { SliceContext, SliceHeader } from '../../shared/codec/h264/syntax/slice-header.ts';
import {
  codecStringOf,
  colourOf,
  frameRateOf,
  levelNameOf,
  parseSps,
  pictureSizeOf,
  type SequenceParameterSet,
} from '../../shared/codec/h264/syntax/sps.ts';
import { sampleAspectOf } from '../../shared/codec/h264/syntax/vui.ts';
import { BitstreamError } from '../../shared/errors.ts';
import { microseconds } from '../../shared/media/time.ts';
import { readByteStream } from './byte-stream-file.ts';
import { containerKind, decodeContainer, type ContainerFigures, type ContainerKind } from './probe-container.ts';
import { printJson, UsageError, wholeNumber } from './command-line.ts';
import { describeMacroblocks, type MacroblockDescription, type SyntaxBits } from './probe-macroblocks.ts';

/** Flags of the command. */
export type ProbeOptions = {
  readonly headers?: true;
  readonly macroblocks?: true;
  readonly frame?: number;
  /** `X,Y`: the macroblock whose stages are shown. */
  readonly stages?: string;
  readonly json?: true;
};

const PROFILES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4 Predictive',
  44: 'CAVLC 4:4:4 Intra',
};

const SLICE_LETTERS = ['P', 'B', 'I', 'SP', 'SI'];

/** One NAL unit with its fields. */
type HeaderRecord = {
  readonly accessUnit: number;
  readonly nal_ref_idc: number;
  readonly nal_unit_type: number;
  readonly bytes: number;
  readonly fields?: unknown;
};

/** One coded picture with its macroblocks. */
type PictureRecord = {
  readonly structure: 'frame' | 'top field' | 'bottom field';
  readonly PicOrderCnt: number;
  readonly frame_num: number;
  readonly macroblocks: readonly MacroblockDescription[];
  /** Of the macroblock that --stages names. */
  readonly stages?: MacroblockStages;
};

/** The JSON document of the command. */
export type ProbeResult = {
  readonly container: 'none' | ContainerKind;
  readonly profile: string;
  readonly level: string;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly sampleAspect: readonly [number, number];
  readonly colour: unknown;
  readonly fps: number | null;
  readonly entropy: 'CAVLC' | 'CABAC';
  readonly frames: number;
  readonly bytes: number;
  readonly kbps: number | null;
  /** Frames from key picture to key picture. */
  readonly gops: readonly number[];
  readonly slices: Readonly<Record<string, number>>;
  readonly headers?: readonly HeaderRecord[];
  readonly pictures?: readonly PictureRecord[];
  readonly errors: readonly DecodeErrorReport[];
};

/** Registers `tessera probe`. */
export function registerProbe(program: Command): void {
  program
    .command('probe')
    .description('show what an H.264 file holds: raw (Annex B), FLV, MP4, MOV or MKV')
    .argument('<file>', 'the file, or - for raw H.264 on standard input')
    .option('--headers', 'every field of every header')
    .option('--macroblocks', 'every macroblock of one frame: type, modes, QP, vectors, references, bits')
    .option('--frame <n>', 'which frame --macroblocks shows, in decoding order', wholeNumber(0, 1_000_000), 0)
    .option('--stages <x,y>', 'with --macroblocks: samples and coefficients of that macroblock at every stage')
    .option('--json', 'print one JSON document on stdout')
    .action(async (file: string, options: ProbeOptions) => {
      const kind = await containerKind(file);
      const result = kind === null ? probeFile(file, options) : await probeContainer(file, kind, options);
      if (options.json === true) {
        printJson(result);
      } else {
        print(file, result);
      }
    });
}

/** Collects what the decoder's trace shows. */
class Probe {
  sps: SequenceParameterSet | null = null;
  entropy: 'CAVLC' | 'CABAC' = 'CAVLC';
  frames = 0;
  readonly gops: number[] = [];
  readonly slices: Record<string, number> = {};
  readonly headers: HeaderRecord[] = [];
  readonly pictures: PictureRecord[] = [];
  readonly errors: DecodeErrorReport[] = [];
  accessUnit = -1;
  private readonly options: ProbeOptions;
  private sliceTypes: number[] = [];
  private bits: number[] = [];
  private syntaxBits: (SyntaxBits | undefined)[] = [];
  private elements: SyntaxBits | undefined;
  private stages: MacroblockStages | null = null;
  private frameOfSlices = -1;

  constructor(options: ProbeOptions) {
    this.options = options;
  }

  makeDecoder(): H264Decoder {
    return new H264Decoder(
      { output: (frame) => frame.close(), error: (report) => this.errors.push(report) },
      {
        nalUnit: (header, bytes) => this.nalUnit(header, bytes),
        slice: (header, context) => this.slice(header, context),
        ...(this.options.macroblocks === true ? this.macroblockTrace() : {}),
        picture: (decoder, picture, structure) => {
          if (this.options.macroblocks === true && this.frames === (this.options.frame ?? 0)) {
            this.pictures.push({
              structure: structure === 3 ? 'frame' : structure === 1 ? 'top field' : 'bottom field',
              PicOrderCnt: picture.orderOf(structure),
              frame_num: picture.FrameNum,
              macroblocks: describeMacroblocks(
                decoder.sequence.state,
                structure,
                this.sliceTypes,
                this.bits,
                this.syntaxBits,
              ),
              ...(this.stages === null ? {} : { stages: this.stages }),
            });
          }
          this.stages = null;
          if (picture.decoded === 3) {
            this.frames++;
            const last = this.gops.length - 1;
            if (picture.isIdr || last < 0) {
              this.gops.push(1);
            } else {
              this.gops[last] = (this.gops[last] ?? 0) + 1;
            }
          }
        },
      },
    );
  }

  private macroblockTrace(): DecoderTrace {
    const wanted = stagesPlace(this.options.stages);
    return {
      syntaxElement: (name, bits) => {
        this.elements ??= {};
        this.elements[name] = (this.elements[name] ?? 0) + bits;
      },
      macroblock: (decoder, bits) => {
        const { mb } = decoder.sequence.state;
        this.bits[mb] = bits;
        this.syntaxBits[mb] = this.elements;
        this.elements = undefined;
      },
      ...(wanted === null
        ? {}
        : {
            wantsStages: ({ sequence: { state } }) => {
              const row = state.isFieldPicture ? state.mbY >> 1 : state.mbY;
              return this.frames === (this.options.frame ?? 0) && state.mbX === wanted.x && row === wanted.y;
            },
            stages: (stages) => {
              this.stages = stages;
            },
          }),
    };
  }

  private slice(header: SliceHeader, context: SliceContext): void {
    this.sps = context.sps;
    this.entropy = context.pps.entropy_coding_mode_flag ? 'CABAC' : 'CAVLC';
    const letter = SLICE_LETTERS[header.slice_type % 5] ?? '?';
    this.slices[letter] = (this.slices[letter] ?? 0) + 1;
    if (this.frameOfSlices !== this.frames) {
      this.frameOfSlices = this.frames;
      this.sliceTypes = [];
      this.bits = [];
      this.syntaxBits = [];
    }
    this.sliceTypes.push(header.slice_type % 5);
    this.attach(header);
  }

  private attach(fields: unknown): void {
    const last = this.headers.pop();
    if (last !== undefined) {
      this.headers.push({ ...last, fields });
    }
  }

  private nalUnit(header: NalHeader, bytes: Uint8Array): void {
    if (this.options.headers !== true) {
      return;
    }
    this.headers.push({ accessUnit: this.accessUnit, ...header, bytes: bytes.length });
    const { nal_unit_type } = header;
    if (nal_unit_type === NAL_UNIT_TYPE.SPS) {
      this.attach(readOrNull(() => parseSps(parseNalUnit(bytes).rbsp)));
    } else if (nal_unit_type === NAL_UNIT_TYPE.PPS) {
      this.attach(readOrNull(() => parsePps(parseNalUnit(bytes).rbsp)));
    } else if (nal_unit_type === NAL_UNIT_TYPE.SEI) {
      this.attach(
        readOrNull(() =>
          parseSei(parseNalUnit(bytes).rbsp).map(({ payloadType, payload }) => ({
            payloadType,
            payload: Buffer.from(payload).toString('hex'),
          })),
        ),
      );
    }
  }
}

/** The macroblock that --stages names, or null. Throws UsageError. */
function stagesPlace(text: string | undefined): { readonly x: number; readonly y: number } | null {
  if (text === undefined) {
    return null;
  }
  const [, x, y] = /^(\d{1,4}),(\d{1,4})$/.exec(text) ?? [];
  if (x === undefined || y === undefined) {
    throw new UsageError(`--stages takes X,Y in macroblocks, not ${text}.`);
  }
  return { x: Number(x), y: Number(y) };
}

function readOrNull(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof BitstreamError) {
      return { error: error.code, clause: error.clause, message: error.message };
    }
    throw error;
  }
}

/** Reads a raw file; throws one sentence when it holds no parameter set that is used. */
export function probeFile(file: string, options: ProbeOptions): ProbeResult {
  const probe = new Probe(options);
  const decoder = probe.makeDecoder();
  decoder.configure({ format: 'annexb' });
  let bytes = 0;
  readByteStream(file, (unit) => {
    probe.accessUnit++;
    bytes += unit.data.length;
    decoder.decode({ type: unit.isKey ? 'key' : 'delta', timestamp: microseconds(0), data: unit.data });
  });
  decoder.flush();
  decoder.close();
  return resultOf(file, probe, options, { container: 'none', bytes, fps: null });
}

/** Reads the video track of a container; throws one sentence as well. */
export async function probeContainer(
  file: string,
  container: ContainerKind,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const probe = new Probe(options);
  const decoder = probe.makeDecoder();
  const figures = await decodeContainer(file, container, decoder, () => {
    probe.accessUnit++;
  });
  if (probe.sps !== null) {
    decoder.flush();
  }
  decoder.close();
  return resultOf(file, probe, options, { container, ...figures });
}

function resultOf(
  file: string,
  probe: Probe,
  options: ProbeOptions,
  { container, bytes, fps: fpsOfTimes }: ContainerFigures & { readonly container: ProbeResult['container'] },
): ProbeResult {
  const { sps } = probe;
  if (sps === null) {
    throw new Error(`${file} holds no H.264 slice with its parameter sets.`);
  }
  const { width, height, codedWidth, codedHeight } = pictureSizeOf(sps);
  const fps = frameRateOf(sps) ?? fpsOfTimes;
  const isConstrained = sps.profile_idc === 66 && (sps.constraint_set_flags & 0x40) !== 0;
  return {
    container,
    profile: `${isConstrained ? 'Constrained ' : ''}${PROFILES[sps.profile_idc] ?? `profile_idc ${sps.profile_idc}`}`,
    level: levelNameOf(sps),
    codec: codecStringOf(sps),
    width,
    height,
    codedWidth,
    codedHeight,
    sampleAspect: sampleAspectOf(sps.vui),
    colour: colourOf(sps),
    fps,
    entropy: probe.entropy,
    frames: probe.frames,
    bytes,
    kbps: fps === null || probe.frames === 0 ? null : Math.round((bytes * 8 * fps) / probe.frames / 10) / 100,
    gops: probe.gops,
    slices: probe.slices,
    ...(options.headers === true ? { headers: probe.headers } : {}),
    ...(options.macroblocks === true ? { pictures: probe.pictures } : {}),
    errors: probe.errors,
  };
}

function print(file: string, result: ProbeResult): void {
  const { headers, pictures, ...summary } = result;
  process.stdout.write(`${file}\n`);
  for (const [name, value] of Object.entries(summary)) {
    process.stdout.write(`  ${name}: ${JSON.stringify(value)}\n`);
  }
  for (const header of headers ?? []) {
    process.stdout.write(`${JSON.stringify(header)}\n`);
  }
  for (const picture of pictures ?? []) {
    process.stdout.write(`${picture.structure}, frame_num ${picture.frame_num}, PicOrderCnt ${picture.PicOrderCnt}\n`);
    for (const macroblock of picture.macroblocks) {
      process.stdout.write(`${JSON.stringify(macroblock)}\n`);
    }
  }
}
