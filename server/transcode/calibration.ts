// A first measurement of this machine: encodes some moving synthetic pictures and takes the time of the last ones. It also warms up
// the just-in-time compiler, so that the first viewer does not pay for it. Called once by each transcode worker.

import { i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { microseconds } from '../../shared/media/time.ts';
import type { CodecSet } from './codec-set.ts';
import { threadCpuMs } from './thread-cpu.ts';
import type { Calibration } from './worker-messages.ts';

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES = 24;
const MEASURED_FRAMES = 8;
/** A slow machine is measured as well by fewer frames. */
const MAX_MS = 600;

/** Encodes for at most about MAX_MS and returns the median of the last frames. */
export function calibrate(codecs: CodecSet): Calibration {
  const encoder = codecs.createEncoder(
    { output: () => undefined },
    {
      width: WIDTH,
      height: HEIGHT,
      framerate: { numerator: 30, denominator: 1 },
      rateControl: { kind: 'bitrate', kbps: 900 },
      preset: 'fast',
      keyint: 'infinite',
      format: 'avc',
    },
  );
  const times: number[] = [];
  const start = performance.now();
  for (let i = 0; i < FRAMES && performance.now() - start < MAX_MS; i++) {
    const picture = syntheticPicture(i);
    const before = threadCpuMs();
    encoder.encode(picture, { keyFrame: i === 0 });
    times.push(threadCpuMs() - before);
  }
  encoder.close();
  const last = times.slice(-MEASURED_FRAMES).sort((a, b) => a - b);
  return { width: WIDTH, height: HEIGHT, encodeMs: last[last.length >> 1] ?? 0 };
}

/** Waves that move to the side, with texture: neither trivial nor noise for a motion search. */
function syntheticPicture(index: number): ReturnType<typeof packedI420> {
  const bytes = new Uint8Array(i420ByteLength(WIDTH, HEIGHT)).fill(128);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const u = x + 3 * index;
      bytes[y * WIDTH + x] = 64 + (((u * y) >> 7) % 96) + ((u ^ y) & 15);
    }
  }
  const timestamp = microseconds(index * 33_333);
  return packedI420(bytes, { width: WIDTH, height: HEIGHT }, { timestamp, colour: UNSPECIFIED_COLOUR });
}
