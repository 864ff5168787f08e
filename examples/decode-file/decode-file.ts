// Decodes an H.264 file (Annex B) and writes its frames as planar YUV 4:2:0, in output order.
// Run: npx tsx examples/decode-file/decode-file.ts IN.264 OUT.yuv

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { microseconds } from '../../shared/media/time.ts';

const [input = 'in.264', output = 'out.yuv'] = process.argv.slice(2);
const file = openSync(output, 'w');
let frames = 0;

const decoder = new H264Decoder({
  output: (frame) => {
    for (const { data, stride, width, height } of [frame.y, frame.u, frame.v]) {
      for (let row = 0; row < height; row++) {
        writeSync(file, data, row * stride, width);
      }
    }
    frames++;
    frame.close(); // the decoder may use its memory again
  },
  error: ({ code, nal }) => process.stderr.write(`NAL unit ${nal} is damaged: ${code}\n`),
});
decoder.configure({ format: 'annexb' });
decoder.decode({ type: 'key', timestamp: microseconds(0), data: readFileSync(input) });
decoder.flush();
decoder.close();
closeSync(file);
process.stdout.write(`${frames} frames\n`);
