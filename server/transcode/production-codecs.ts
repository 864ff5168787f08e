// The codec set of the workers: our decoder, our scaler, our encoder. Used by transcode-worker.ts.

import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { Scaler } from '../../shared/pixels/scaler.ts';
import type { CodecSet } from './codec-set.ts';

export const productionCodecs: CodecSet = {
  createDecoder: (init, config) => {
    const decoder = new H264Decoder(init);
    decoder.configure(config);
    return decoder;
  },
  createEncoder: (init, config) => {
    const encoder = new H264Encoder(init);
    encoder.configure(config);
    return {
      encode: (frame, options) => {
        encoder.encode(frame, options);
      },
      close: () => undefined, // its memory goes with the last reference to it
    };
  },
  createScaler: ({ width, height }) => new Scaler(width, height),
};
