// Decodes a stream in memory and gives the MD5 of every frame in output order, with the errors that were reported.

import { createHash } from 'node:crypto';
import type { DecodeErrorReport, DecoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import type { ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';

/** MD5 of a frame: Y, U, V rows without padding. */
function frameMd5(frame: I420Frame): string {
  const hash = createHash('md5');
  for (const { data, stride, width, height } of [frame.y, frame.u, frame.v]) {
    if (stride === width) {
      hash.update(data.subarray(0, width * height));
      continue;
    }
    for (let row = 0; row < height; row++) {
      hash.update(data.subarray(row * stride, row * stride + width));
    }
  }
  return hash.digest('hex');
}

/** What came out. */
export type DecodedFrames = { readonly frames: readonly string[]; readonly errors: readonly DecodeErrorReport[] };

/** Decodes chunks one after the other; `threadHost` lends a second thread where the configuration asks for it. */
export function decodeFrames(
  chunks: readonly Uint8Array[],
  config: Partial<DecoderConfig> = {},
  threadHost?: ThreadHost,
): DecodedFrames {
  const frames: string[] = [];
  const errors: DecodeErrorReport[] = [];
  const decoder = new H264Decoder({
    output: (frame) => {
      frames.push(frameMd5(frame));
      frame.close();
    },
    error: (report) => errors.push(report),
    ...(threadHost === undefined ? {} : { threadHost }),
  });
  decoder.configure({ format: 'annexb', ...config });
  for (const data of chunks) {
    decoder.decode({ type: 'key', timestamp: microseconds(0), data });
  }
  decoder.flush();
  decoder.close();
  return { frames, errors };
}
