// PSNR and SSIM: worked figures, and the same figures as ffmpeg's filters.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame } from '../../../../shared/media/frame.ts';
import { microseconds } from '../../../../shared/media/time.ts';
import { QualityMeter } from '../../../../shared/pixels/quality.ts';
import { describeWith } from '../../../support/requirements.ts';
import { seededRandom } from '../../../support/random.ts';

const { log10 } = Math;
const size = { width: 64, height: 48 };
const frame = (data: Uint8Array): I420Frame =>
  packedI420(data, size, { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR });
const bytes = (sample: (i: number) => number) =>
  Uint8Array.from({ length: i420ByteLength(size.width, size.height) }, (_, i) => sample(i));

test('equal pictures have 100 dB and SSIM 1', () => {
  const meter = new QualityMeter({ ssim: true });
  meter.add(frame(bytes((i) => i & 255)), frame(bytes((i) => i & 255)));
  expect(meter.psnr()).toEqual({ y: 100, u: 100, v: 100 });
  expect(meter.ssim()).toEqual({ y: 1, u: 1, v: 1 });
});

test('a difference of one everywhere is 48.13 dB', () => {
  const meter = new QualityMeter();
  meter.add(frame(bytes(() => 100)), frame(bytes(() => 101)));
  expect(meter.psnr().y).toBeCloseTo(48.1308, 4);
  expect(() => meter.ssim()).toThrow(TypeError);
});

test('several frames count by their mean squared error, not by their mean PSNR', () => {
  const meter = new QualityMeter();
  meter.add(frame(bytes(() => 100)), frame(bytes(() => 101)));
  meter.add(frame(bytes(() => 100)), frame(bytes(() => 110)));
  expect(meter.psnr().y).toBeCloseTo(10 * log10((255 * 255) / 50.5), 10);
  expect(meter.frames).toBe(2);
});

test('pictures of different size are refused', () => {
  const small = packedI420(
    new Uint8Array(6),
    { width: 2, height: 2 },
    { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR },
  );
  expect(() => new QualityMeter().add(small, frame(bytes(() => 0)))).toThrow(RangeError);
});

describeWith(['ffmpeg'], 'quality beside ffmpeg', () => {
  test('PSNR and SSIM are those of its filters', () => {
    const random = seededRandom(9);
    const original = bytes((i) => 60 + ((i >> 2) & 127));
    const coded = original.map((sample) => sample + random(9) - 4);
    const directory = mkdtempSync(join(tmpdir(), 'tessera-quality-'));
    try {
      const files = ['a.yuv', 'b.yuv'].map((name) => join(directory, name));
      writeFileSync(files[0], original);
      writeFileSync(files[1], coded);
      const inputs = files.flatMap((file) => [
        ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${size.width}x${size.height}`, '-i', file],
      ]);
      const figures = (filter: string) => {
        const { stderr } = spawnSync('ffmpeg', [...inputs, '-lavfi', filter, '-f', 'null', '-'], { encoding: 'utf8' });
        return stderr;
      };
      const meter = new QualityMeter({ ssim: true });
      meter.add(frame(original), frame(coded));
      const psnr = /PSNR y:([\d.]+) u:([\d.]+) v:([\d.]+)/.exec(figures('psnr'))!.slice(1).map(Number);
      const ssim = /SSIM Y:([\d.]+).*U:([\d.]+).*V:([\d.]+)/.exec(figures('ssim'))!.slice(1).map(Number);
      Object.values(meter.psnr()).forEach((value, i) => expect(value).toBeCloseTo(psnr[i], 5));
      Object.values(meter.ssim()).forEach((value: number, i) => expect(value).toBeCloseTo(ssim[i], 3));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
