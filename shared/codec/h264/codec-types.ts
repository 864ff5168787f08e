// Public vocabulary of the codec, in the words of WebCodecs.

import type { ColourDescription } from '../../media/colour.ts';
import type { I420Frame } from '../../media/frame.ts';
import type { Microseconds } from '../../media/time.ts';
import type { KernelKind } from './kernels/kernels.ts';
import type { ThreadHost } from './threads/thread-host.ts';

/** One access unit as it enters the decoder or leaves the encoder. */
export type EncodedChunk = {
  readonly type: 'key' | 'delta';
  readonly timestamp: Microseconds;
  readonly data: Uint8Array;
};

/** Typed report of damage; the decoder goes on with concealment. Codes are listed in shared/errors.ts. */
export type DecodeErrorReport = {
  readonly code: string;
  readonly accessUnit: number;
  readonly nal: number;
  readonly bitOffset: number;
};

/** Where a decoder's frames and reports of damage go. */
export type DecoderInit = {
  /** Called synchronously from decode() and flush(), in output order. The receiver calls frame.close() when done with it. */
  readonly output: (frame: I420Frame) => void;
  /** Called synchronously from decode() and flush(); decoding goes on. */
  readonly error: (report: DecodeErrorReport) => void;
  /** Lends a second thread; needed for DecoderConfig.threads above 1. */
  readonly threadHost?: ThreadHost;
};

/** How chunks are framed and how frames come out. */
export type DecoderConfig = {
  /** `annexb`: start codes; `avc`: length-prefixed, parameter sets in `description` (AVCDecoderConfigurationRecord). */
  readonly format: 'annexb' | 'avc';
  readonly description?: Uint8Array;
  /** Output every picture as soon as it is decoded where the stream needs no reordering. Default false: bumping (C.4). */
  readonly lowDelay?: boolean;
  readonly kernels?: KernelKind; // default wasm
  /**
   * Threads to use at most; default 1. A second one, of the init's threadHost, shares the pictures of progressive 4:2:0 streams with the
   * caller's, so that frames come out up to two pictures later. Not used with lowDelay, budgetMs, reference kernels, or without SharedArrayBuffer.
   * decode() waits for the other thread: not on a page's main thread.
   */
  readonly threads?: number;
  /** Milliseconds of work per access unit after which decoding gives up on it; default none. */
  readonly budgetMs?: number;
};

/** Constant quantiser, or a bitrate under a leaky bucket: `maxKbps` (default: `kbps`) fills it, `bufferMs` (default 1000) is its size. */
export type RateControlConfig =
  | { readonly kind: 'qp'; readonly qp: number } // 0..51
  | {
      readonly kind: 'bitrate';
      readonly kbps: number;
      /** Peak rate at which the decoder's buffer fills; default kbps. */
      readonly maxKbps?: number;
      /** Size of the decoder's buffer at the peak rate; default 1000. */
      readonly bufferMs?: number;
      /** No access unit is larger; default none. */
      readonly maxFrameBytes?: number;
    };

/** What H264Encoder.adjust changes without an IDR; what is left out stays. */
export type RateChange = {
  readonly rateControl?: RateControlConfig;
  readonly framerate?: { readonly numerator: number; readonly denominator: number };
};

/** What was out of the ordinary since configure(), mostly for rate control. */
export type EncoderCounters = {
  /** Pictures coded again, coarser, because they did not fit the decoder's buffer or the limit per picture. */
  readonly recoded: number;
  /** Pictures replaced by a repetition of the one before, because they did not fit at the highest QP. */
  readonly repeated: number;
  /** Frames without an access unit, because not even that fitted. */
  readonly dropped: number;
  /** Intra pictures made because the scene changed. */
  readonly sceneCuts: number;
  /** Pictures coded again because a lent thread failed within a slice; the encoder works on without that thread. */
  readonly threadFailures: number;
};

/** From fastest to best per bit. */
export type EncoderPreset = 'ultrafast' | 'fast' | 'balanced' | 'quality';
/** `baseline` is Constrained Baseline; `main` adds CABAC, `high` what needs High. */
export type EncoderProfile = 'baseline' | 'main' | 'high';
/** What the pictures are of; `psnr` switches choices for the eye off, for measurements. */
export type EncoderTune = 'camera' | 'screen' | 'psnr';

/** Everything about the stream to make; only size, frame rate and rate control have no default. */
export type EncoderConfig = {
  readonly width: number; // 1..4096; odd sizes are padded by edge replication and cropped by the SPS
  readonly height: number;
  /** Frames per second as a fraction. */
  readonly framerate: { readonly numerator: number; readonly denominator: number };
  readonly rateControl: RateControlConfig;
  readonly preset?: EncoderPreset; // default fast
  readonly profile?: EncoderProfile; // default baseline (Constrained Baseline) for ultrafast and fast, else high
  /** Default CABAC, but CAVLC in baseline, which has nothing else. */
  readonly entropy?: 'cavlc' | 'cabac';
  /** Explicit weighted prediction of fades, not in baseline. Default: with presets balanced and quality, unless QP is constant with tune psnr. */
  readonly weightedPrediction?: boolean;
  readonly tune?: EncoderTune; // default camera
  /** Frames from IDR to IDR, or none but the first and the requested. Default 2 s. */
  readonly keyint?: number | 'infinite';
  readonly layers?: 1 | 2 | 3; // temporal layers
  /** Pictures that can be kept as long-term references, see EncodeOptions. Default 0. */
  readonly longTermReferences?: 0 | 1 | 2;
  /**
   * Intra refresh: a sweep of intra columns over this many pictures instead of IDR pictures (use it with keyint `infinite`); each sweep begins with a
   * recovery point, from which a decoder may join. For one layer. Default off.
   */
  readonly intraRefresh?: number;
  /** Slices per picture. Default: one per thread, cut where the work is even. */
  readonly slices?: number;
  /**
   * Threads that code slices of a picture at the same time, default 1. The bytes depend on this number alone: where threadHost or shared memory
   * are missing, one thread codes all slices.
   */
  readonly threads?: number;
  readonly format?: 'annexb' | 'avc'; // default annexb
  readonly colour?: ColourDescription;
  readonly sampleAspect?: readonly [number, number];
  readonly kernels?: KernelKind; // default wasm
};

/** Figures of one coded picture. */
export type PictureStatistics = {
  readonly sliceType: 'I' | 'P';
  /** Mean QPY of the macroblocks. */
  readonly meanQp: number;
  /** Macroblocks by kind; transform8x8 counts those with the 8x8 transform. */
  readonly skipped: number;
  readonly inter: number;
  readonly intra16x16: number;
  readonly intra8x8: number;
  readonly intra4x4: number;
  /** Sent as samples, because levels would take more bits. */
  readonly pcm: number;
  readonly transform8x8: number;
  /** PSNR-Y (dB, at most 100) and SSIM-Y (16x16 windows) of one macroblock in sixteen. */
  readonly psnrY: number;
  readonly ssimY: number;
  /** Milliseconds by stage; null without EncoderInit.now. `code` contains `filter`. */
  readonly ms: {
    readonly analyse: number;
    readonly code: number;
    readonly filter: number;
    readonly pack: number;
  } | null;
};

/** What is known of each macroblock of the last coded picture, in raster order: views, valid until the next encode(). */
export type MacroblockReport = {
  readonly mbWidth: number;
  readonly mbHeight: number;
  /** 0 P_Skip, 1 inter, 2 Intra_4x4, 3 Intra_16x16, 4 Intra_8x8, 5 I_PCM. */
  readonly kind: Uint8Array;
  /** Of inter macroblocks: 0 16x16, 1 16x8, 2 8x16, 3 8x8. */
  readonly partition: Uint8Array;
  readonly qp: Uint8Array;
  /** Bits of macroblock_layer(), with CAVLC mb_skip_run before it. */
  readonly bits: Uint16Array;
  readonly transform8x8: Uint8Array;
  /** Per 4x4 block: x in the low, y in the high 16 bits, quarter samples. Block (x, y) is at mvOrigin + y * mvStride + x. */
  readonly mv: Int32Array;
  readonly mvStride: number;
  readonly mvOrigin: number;
};

/** What is known of a coded picture beside its bytes. */
export type EncoderChunkMetadata = {
  /** With format `avc`: present on the first chunk and whenever the parameter sets change. */
  readonly description?: Uint8Array;
  readonly temporalLayer: number; // 0 is the base
  /** Referenced by later pictures (nal_ref_idc != 0). */
  readonly isReference: boolean;
  /** A sweep of intra refresh begins: who joins here sees a whole picture after this many pictures more (recovery_frame_cnt). */
  readonly recoveryFrames?: number;
  /** The picture is kept as long-term reference of this number, see EncodeOptions.predictFrom. */
  readonly longTermIndex?: number;
  readonly qp: number; // mean QPY of the picture's rows, before adaptive quantisation
  readonly bits: number;
  /** What H264Encoder counted and measured; other encoders of this shape may leave it out. */
  readonly statistics?: PictureStatistics;
};

/** Where an encoder's access units go. */
export type EncoderInit = {
  /** Called synchronously from encode() and flush(). `chunk.data` is the receiver's to keep. */
  readonly output: (chunk: EncodedChunk, metadata: EncoderChunkMetadata) => void;
  /** When set: the reconstruction of each coded picture, equal to what every decoder shows. Valid until the call returns. */
  readonly reconstruction?: (frame: I420Frame) => void;
  /** Lends threads for `threads` above 1. encode() then waits for them, so it must not run on a page's main thread. */
  readonly threadHost?: ThreadHost;
  /** A clock in milliseconds, for the times in the statistics. */
  readonly now?: () => number;
};

/** What may be asked of one picture. */
export type EncodeOptions = {
  readonly keyFrame?: boolean;
  /** Keep this picture as a long-term reference; the metadata says under which number. Needs longTermReferences. */
  readonly keepLongTerm?: boolean;
  /**
   * Recovery after a loss: predict from this long-term reference, which the peer has acknowledged, and from nothing later; the pictures that follow refer
   * to none before this one either.
   */
  readonly predictFrom?: number;
  /** Capture time (Unix epoch microseconds), written as SEI user_data_unregistered. */
  readonly captureTime?: Microseconds;
};
