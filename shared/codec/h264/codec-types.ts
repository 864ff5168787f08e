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
};

/** How chunks are framed and how frames come out. */
export type DecoderConfig = {
  /** `annexb`: start codes; `avc`: length-prefixed, parameter sets in `description` (AVCDecoderConfigurationRecord). */
  readonly format: 'annexb' | 'avc';
  readonly description?: Uint8Array;
  /** Output every picture as soon as it is decoded where the stream needs no reordering. Default false: bumping (C.4). */
  readonly lowDelay?: boolean;
  readonly kernels?: KernelKind; // default wasm
  readonly threads?: number; // default 1
  /** Milliseconds of work per access unit after which decoding gives up on it; default none. */
  readonly budgetMs?: number;
};

/** Constant quantiser, or a bitrate under a leaky bucket: `maxKbps` (default: `kbps`) fills it, `bufferMs` (default 1000) is its size. */
export type RateControlConfig =
  | { readonly kind: 'qp'; readonly qp: number } // 0..51
  | { readonly kind: 'bitrate'; readonly kbps: number; readonly maxKbps?: number; readonly bufferMs?: number };

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
  readonly tune?: EncoderTune; // default camera
  /** Frames from IDR to IDR, or none but the first and the requested. Default 2 s. */
  readonly keyint?: number | 'infinite';
  readonly layers?: 1 | 2 | 3; // temporal layers
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

/** What is known of a coded picture beside its bytes. */
export type EncoderChunkMetadata = {
  /** With format `avc`: present on the first chunk and whenever the parameter sets change. */
  readonly description?: Uint8Array;
  readonly temporalLayer: number; // 0 is the base
  /** Referenced by later pictures (nal_ref_idc != 0). */
  readonly isReference: boolean;
  readonly qp: number; // mean QPY of the picture
  readonly bits: number;
};

/** Where an encoder's access units go. */
export type EncoderInit = {
  /** Called synchronously from encode() and flush(). `chunk.data` is the receiver's to keep. */
  readonly output: (chunk: EncodedChunk, metadata: EncoderChunkMetadata) => void;
  /** When set: the reconstruction of each coded picture, equal to what every decoder shows. Valid until the call returns. */
  readonly reconstruction?: (frame: I420Frame) => void;
  /** Lends threads for `threads` above 1. encode() then waits for them, so it must not run on a page's main thread. */
  readonly threadHost?: ThreadHost;
};

/** What may be asked of one picture. */
export type EncodeOptions = {
  readonly keyFrame?: boolean;
  /** Capture time (Unix epoch microseconds), written as SEI user_data_unregistered. */
  readonly captureTime?: Microseconds;
};
