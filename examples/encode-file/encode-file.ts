// Encodes a synthetic clip with the H.264 encoder and writes it as an Annex B file that any player shows.
// Run: npx tsx examples/encode-file/encode-file.ts OUT.264

import { writeFileSync } from 'node:fs';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { BT709_LIMITED } from '../../shared/media/colour.ts';
import { i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';

const [output = 'out.264'] = process.argv.slice(2);
const size = { width: 320, height: 180 };
const units: Uint8Array[] = [];

const encoder = new H264Encoder({
  output: (chunk, { qp }) => {
    units.push(chunk.data);
    process.stdout.write(`${chunk.type} ${chunk.data.length} bytes, QP ${qp.toFixed(1)}\n`);
  },
});
encoder.configure({
  ...size,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'bitrate', kbps: 300 },
  preset: 'fast',
  colour: BT709_LIMITED,
});

for (let n = 0; n < 75; n++) {
  const samples = new Uint8Array(i420ByteLength(size.width, size.height)).fill(128);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      samples[y * size.width + x] = 60 + (((x + 2 * n) >> 3) ^ ((y + n) >> 3)) * 3;
    }
  }
  encoder.encode(packedI420(samples, size, { timestamp: microseconds(n * 40_000), colour: BT709_LIMITED }));
}
encoder.flush();
writeFileSync(output, Buffer.concat(units));
