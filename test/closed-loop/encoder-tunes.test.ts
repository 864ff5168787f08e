// What the tunes are for, in figures: camera spends where errors show, screen keeps text sharp and lets still blocks cost nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bdRate, type RatePoint } from '../../server/cli/bench/bd-rate.ts';
import type { EncoderConfig, EncoderTune } from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { QualityMeter } from '../../shared/pixels/quality.ts';
import { encodeClip } from '../support/encode-clip.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { textPage } from '../support/text-page.ts';

const SIZE = { width: 192, height: 144 };
const base: EncoderConfig = {
  ...SIZE,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'qp', qp: 30 },
  keyint: 'infinite',
};

const CIF = { width: 352, height: 288 };

/** The first frames of a natural clip. */
function naturalClip(frames: number): I420Frame[] {
  const decoded = decodeWithFfmpeg(readFileSync(join(materialDir, 'clips', 'foreman_cif.264')));
  const bytes = i420ByteLength(CIF.width, CIF.height);
  return Array.from({ length: frames }, (_, i) =>
    packedI420(decoded.subarray(i * bytes, (i + 1) * bytes), CIF, {
      timestamp: microseconds(40_000 * i),
      colour: UNSPECIFIED_COLOUR,
    }),
  );
}

/** Rate and SSIM (in decibels of its distance from 1) of a clip at a QP. */
function ssimPoint(clip: readonly I420Frame[], tune: EncoderTune, qp: number): RatePoint {
  const meter = new QualityMeter({ ssim: true });
  let bits = 0;
  let index = 0;
  const encoder = new H264Encoder({
    output: (chunk) => {
      bits += 8 * chunk.data.length;
    },
    reconstruction: (frame) => meter.add(clip[index], frame),
  });
  encoder.configure({ ...base, ...CIF, rateControl: { kind: 'qp', qp }, tune });
  for (; index < clip.length; index++) {
    encoder.encode(clip[index]);
  }
  return { kbps: bits / clip.length / 40, psnr: -10 * Math.log10(1 - meter.ssim().y) };
}

describeWith(['material', 'ffmpeg'], 'adaptive quantisation', () => {
  test('gives the same SSIM of a natural clip for at least four per cent less bits', () => {
    const clip = naturalClip(12);
    const curve = (tune: EncoderTune): RatePoint[] => [22, 27, 32, 37].map((qp) => ssimPoint(clip, tune, qp));
    expect(bdRate(curve('psnr'), curve('camera'))).toBeLessThan(-4);
  });
});

/** PSNR of the text beside the moving window, at a bit rate. */
function textPsnr(tune: EncoderTune): number {
  const clip = textPage({ ...SIZE, seed: 5, windowWidth: 64 });
  let error = 0;
  let samples = 0;
  let index = 0;
  const encoder = new H264Encoder({
    output: () => undefined,
    reconstruction: (frame) => {
      const source = clip(index);
      for (let y = 0; y < SIZE.height; y++) {
        for (let x = 0; x < SIZE.width - 64; x++) {
          error += (source.y.data[y * SIZE.width + x] - frame.y.data[y * frame.y.stride + x]) ** 2;
          samples++;
        }
      }
    },
  });
  encoder.configure({ ...base, tune, rateControl: { kind: 'bitrate', kbps: 400 } });
  for (; index < 40; index++) {
    encoder.encode(clip(index));
  }
  return 10 * Math.log10((255 * 255 * samples) / error);
}

test('the screen tune shows text at least 2 dB better than the camera tune at the same rate', () => {
  expect(textPsnr('screen')).toBeGreaterThan(textPsnr('camera') + 2);
});

test('with the screen tune a still page costs next to nothing once it is sharp, and a change only its blocks', () => {
  const page = textPage({ ...SIZE, seed: 5, windowWidth: 0 });
  const changed = textPage({ ...SIZE, seed: 9, windowWidth: 0 });
  const config: EncoderConfig = { ...base, tune: 'screen', rateControl: { kind: 'bitrate', kbps: 600 } };
  const { chunks } = encodeClip(
    config,
    (index) => {
      const frame = page(0);
      if (index >= 50) {
        // One word of another page.
        for (let y = 48; y < 64; y++) {
          frame.y.data.set(changed(0).y.data.subarray(y * SIZE.width + 64, y * SIZE.width + 96), y * SIZE.width + 64);
        }
      }
      return { ...frame, timestamp: (index * 40_000) as never };
    },
    60,
  );
  const sizes = chunks.map((chunk) => chunk.data.length);
  expect(Math.max(...sizes.slice(40, 50))).toBeLessThan(20);
  expect(sizes[50]).toBeLessThan(sizes[0] / 4);
  expect(Math.max(...sizes.slice(57))).toBeLessThan(20);
});
