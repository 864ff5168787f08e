// The codec as the pipeline sees it: three factories. production-codecs.ts fills them with the real decoder, encoder and scaler;
// unit tests of queueing and grouping use small fakes.

import type {
  DecoderConfig,
  DecoderInit,
  EncodedChunk,
  EncodeOptions,
  EncoderConfig,
  EncoderInit,
} from '../../shared/codec/h264/codec-types.ts';
import type { I420Frame } from '../../shared/media/frame.ts';

export interface PictureDecoder {
  decode(chunk: EncodedChunk): void;
  flush(): void;
  close(): void;
}

export interface PictureEncoder {
  /** Calls the output of its init before it returns. */
  encode(frame: I420Frame, options?: EncodeOptions): void;
  close(): void;
}

export interface PictureScaler {
  /** The picture at the scaler's size; valid until the next call. */
  scale(frame: I420Frame): I420Frame;
}

export type CodecSet = {
  readonly createDecoder: (init: DecoderInit, config: DecoderConfig) => PictureDecoder;
  readonly createEncoder: (init: EncoderInit, config: EncoderConfig) => PictureEncoder;
  readonly createScaler: (size: { readonly width: number; readonly height: number }) => PictureScaler;
};
