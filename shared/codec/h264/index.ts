/**
 * The H.264 codec (Rec. ITU-T H.264, 08/2024): an encoder and a decoder in the words of WebCodecs, and the frames that go between
 * them. Runs unchanged in Node, in workers and in pages; pixel work is done by embedded WebAssembly SIMD kernels.
 * @module
 */

export { H264Decoder, type DecoderTrace } from './decoder.ts';
export { H264Encoder } from './encoder.ts';
export { LostThreadError } from './encoder/slice-board.ts';
export type {
  DecodeErrorReport,
  DecoderConfig,
  DecoderInit,
  EncodedChunk,
  EncodeOptions,
  EncoderChunkMetadata,
  EncoderConfig,
  EncoderCounters,
  EncoderInit,
  EncoderPreset,
  EncoderProfile,
  EncoderTune,
  MacroblockReport,
  PictureStatistics,
  RateChange,
  RateControlConfig,
} from './codec-types.ts';
export { AccessUnitAssembler, type ByteStreamAccessUnit } from './syntax/access-units.ts';
export { splitAnnexB, type NalRange } from '../../bitstream/annex-b.ts';
export { BT709_LIMITED, UNSPECIFIED_COLOUR, type ColourDescription } from '../../media/colour.ts';
export { i420ByteLength, packedI420, type I420Frame, type Plane } from '../../media/frame.ts';
export { microseconds, type Microseconds } from '../../media/time.ts';
