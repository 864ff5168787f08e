/**
 * The H.264 encoder: I420 frames in, access units out, without delay. Configured and called in WebCodecs words. Pure computation: no
 * I/O, no clock; all samples live in one WebAssembly.Memory.
 * @module
 */

import { joinAnnexB } from '../../bitstream/annex-b.ts';
import { joinLengthPrefixed } from '../../bitstream/avcc.ts';
import type { I420Frame } from '../../media/frame.ts';
import type { EncodeOptions, EncoderConfig, EncoderInit } from './codec-types.ts';
import { GopStructure, type PicturePlan, referencesKept } from './encoder/gop-structure.ts';
import { decoderConfigurationOf, type ParameterSets, parameterSetsOf } from './encoder/parameter-sets.ts';
import { pictureEncoderBytes, PictureEncoder } from './encoder/picture-encoder.ts';
import {
  allocatePicture,
  allocateSource,
  type CodedSize,
  type EncoderPicture,
  importFrame,
  pictureBytes,
} from './encoder/picture-store.ts';
import { defaultProfileOf, toolsOf } from './encoder/presets.ts';
import { RateControl } from './encoder/rate-control.ts';
import { validateEncoderConfig } from './encoder/validate-config.ts';
import { createEncoderKernels } from './kernels/encoder-kernels.ts';
import { CodecMemory } from './kernels/codec-memory.ts';
import { writeCaptureTime } from './syntax/capture-time.ts';
import { NAL_UNIT_TYPE, writeNalUnit } from './syntax/nal-unit.ts';
import { writeSei } from './syntax/sei.ts';

const { ceil } = Math;

/** Everything that a configuration owns. */
type Session = {
  readonly config: EncoderConfig;
  readonly memory: CodecMemory;
  readonly size: CodedSize;
  readonly source: EncoderPicture;
  readonly gop: GopStructure;
  readonly pictures: PictureEncoder;
  readonly rate: RateControl;
  readonly sets: ParameterSets;
};

/** Encodes one stream. Not reentrant: do not call it from `output`. */
export class H264Encoder {
  private readonly init: EncoderInit;
  private session: Session | null = null;
  private isDescribed = false;
  private lastTimestamp: number | null = null;

  /** `init.output` receives what is encoded; call configure() next. */
  constructor(init: EncoderInit) {
    this.init = init;
  }

  /**
   * Sets or replaces the configuration; the next frame is then an IDR. Throws RangeError with a full sentence when a value is out of
   * its range.
   */
  configure(config: EncoderConfig): void {
    validateEncoderConfig(config);
    const preset = config.preset ?? 'fast';
    const profile = config.profile ?? defaultProfileOf(preset);
    const size = { width: (config.width + 15) & ~15, height: (config.height + 15) & ~15 };
    const tools = toolsOf(preset, profile);
    const layers = config.layers ?? 1;
    const kept = referencesKept(tools.references, layers);
    const threads = config.threads ?? 1;
    const host = this.init.threadHost ?? null;
    const shared = threads > 1 && host !== null && typeof SharedArrayBuffer !== 'undefined';
    const bytes = (kept + 2) * pictureBytes(size) + pictureEncoderBytes(size, threads) + 4096;
    const memory = CodecMemory.create(bytes, { shared });
    const kind = config.kernels ?? 'wasm';
    const kernels = createEncoderKernels(memory.memory, kind);
    const sets = parameterSetsOf({ ...config, profile }, tools, kept);
    const source = allocateSource(memory, size);
    const targets = Array.from({ length: kept + 1 }, () => allocatePicture(memory, size));
    const { numerator, denominator } = config.framerate;
    const keyint = config.keyint ?? ceil((2 * numerator) / denominator);
    this.session?.pictures.close();
    this.session = {
      config,
      memory,
      size,
      source,
      gop: new GopStructure({ keyint, layers, references: tools.references, MaxFrameNum: sets.MaxFrameNum }, targets),
      pictures: new PictureEncoder(kernels, memory, size, sets, tools, {
        threads,
        host,
        kernels: kind,
        slices: config.slices ?? null,
      }),
      rate: new RateControl(config.rateControl, {
        macroblocks: (size.width * size.height) >> 8,
        psnr: config.tune === 'psnr',
      }),
      sets,
    };
    this.isDescribed = false;
    this.lastTimestamp = null;
  }

  /**
   * Encodes one frame and calls `output` before it returns. The frame is copied: the caller may close it afterwards. With keyFrame the
   * picture is an IDR. Throws when not configured, or RangeError when the frame's size is not the configured one.
   */
  encode(frame: I420Frame, options: EncodeOptions = {}): void {
    const { session } = this;
    if (session === null) {
      throw new TypeError('Call configure() before encode().');
    }
    const { config } = session;
    if (frame.width !== config.width || frame.height !== config.height) {
      throw new RangeError(
        `The encoder is configured for ${config.width}x${config.height}, got a frame of ${frame.width}x${frame.height}.`,
      );
    }
    importFrame(session.memory, session.source, session.size, frame);
    const plan = session.gop.plan(options.keyFrame === true);
    const nals: Uint8Array[] = [];
    if (plan.isIdr && config.format !== 'avc') {
      nals.push(session.sets.spsNal, session.sets.ppsNal);
    }
    if (options.captureTime !== undefined) {
      const rbsp = writeSei([writeCaptureTime(options.captureTime)]);
      nals.push(writeNalUnit({ nal_ref_idc: 0, nal_unit_type: NAL_UNIT_TYPE.SEI, rbsp }));
    }
    const qp = this.codePicture(session, plan, nals, frame.timestamp);
    session.gop.commit(plan);
    session.pictures.commit();
    this.deliver(session, plan, nals, frame, qp);
  }

  /** Delivers what is pending: nothing, as every frame is delivered by encode(). */
  flush(): void {
    if (this.session === null) {
      throw new TypeError('Call configure() before flush().');
    }
  }

  /** Slices that lent threads have coded since configure(): 0 says that this encoder works alone. */
  get lentSlices(): number {
    return this.session?.pictures.lentSlices ?? 0;
  }

  /** Ends what the configuration holds, lent threads too. configure() opens the encoder again. */
  close(): void {
    this.session?.pictures.close();
    this.session = null;
  }

  /** Codes the picture, again with a higher QP when it does not fit the bucket. Returns its mean QP. */
  private codePicture(session: Session, plan: PicturePlan, nals: Uint8Array[], timestamp: number): number {
    const { rate, pictures, source, config } = session;
    const { numerator, denominator } = config.framerate;
    const nominal = denominator / numerator;
    const elapsed = this.lastTimestamp === null ? nominal : (timestamp - this.lastTimestamp) / 1e6;
    this.lastTimestamp = timestamp;
    let first: number | null = rate.start({
      isIdr: plan.isIdr,
      temporalLayer: plan.temporalLayer,
      rows: session.size.height >> 4,
      seconds: elapsed > 0 && elapsed < 10 ? elapsed : nominal,
    });
    const before = nals.length;
    let bits = 0;
    while (first !== null) {
      nals.length = before;
      const qp = {
        first,
        afterRow: (row: number, rowBits: number) => rate.afterRow(row, rowBits),
        rowCoded: (row: number, rowBits: number) => rate.rowCoded(row, rowBits),
      };
      pictures.code(source, plan, qp, (nal, rbsp) => nals.push(writeNalUnit({ ...nal, rbsp })));
      bits = 0;
      for (const nal of nals) {
        bits += 8 * (nal.length + 4);
      }
      first = rate.retryQp(bits);
    }
    return rate.finish(bits);
  }

  private deliver(session: Session, plan: PicturePlan, nals: Uint8Array[], frame: I420Frame, qp: number): void {
    const { config, sets } = session;
    const isAvc = config.format === 'avc';
    const data = isAvc ? joinLengthPrefixed(nals) : joinAnnexB(nals);
    const metadata = { temporalLayer: plan.temporalLayer, isReference: plan.isReference, qp, bits: 8 * data.length };
    const isFirst = isAvc && !this.isDescribed;
    this.isDescribed = true;
    this.init.output(
      { type: plan.isIdr ? 'key' : 'delta', timestamp: frame.timestamp, data },
      isFirst ? { ...metadata, description: decoderConfigurationOf(sets) } : metadata,
    );
    this.init.reconstruction?.(this.reconstructionOf(session, plan.target, frame));
  }

  /** The reconstruction as decoders show it: cropped to even size (6.2). */
  private reconstructionOf(session: Session, picture: EncoderPicture, frame: I420Frame): I420Frame {
    const { bytes } = session.memory;
    const width = (frame.width + 1) & ~1;
    const height = (frame.height + 1) & ~1;
    const plane = (at: number, stride: number, w: number, h: number) => ({
      data: bytes.subarray(at, at + (h - 1) * stride + w),
      stride,
      width: w,
      height: h,
    });
    return {
      width,
      height,
      y: plane(picture.y, picture.lumaStride, width, height),
      u: plane(picture.u, picture.chromaStride, width >> 1, height >> 1),
      v: plane(picture.v, picture.chromaStride, width >> 1, height >> 1),
      timestamp: frame.timestamp,
      sampleAspect: frame.sampleAspect,
      colour: frame.colour,
      close: () => undefined,
    };
  }
}
