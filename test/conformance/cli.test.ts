// `tessera decode` and `tessera probe` on conformance streams: digests of the manifest, figures, exit codes.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decodeFile } from '../../server/cli/decode.ts';
import { containerKind } from '../../server/cli/probe-container.ts';
import { probeContainer, probeFile } from '../../server/cli/probe.ts';
import { conformanceStreams, expectedFrames } from '../support/conformance-streams.ts';
import { conformanceDir, describeWith } from '../support/requirements.ts';

const path = (name: string): string => `${conformanceDir}/dev/${name}.264`;
const md5Of = (name: string): string =>
  (conformanceStreams.find((stream) => stream.name === name) as unknown as { md5OfYuv420pFrames: string })
    .md5OfYuv420pFrames;

describeWith(['material'], 'decode and probe', () => {
  for (const name of ['BA_MW_D', 'CVFC1_Sony_C', 'HPCVMOLQ_BRCM_B', 'CAPAMA3_Sand_F']) {
    test(`decode gives the MD5 of ${name}`, () => {
      const result = decodeFile(path(name), { md5: true, frameMd5: true });
      expect(result.md5).toBe(md5Of(name));
      expect(result.frameMd5).toEqual(expectedFrames(name));
      expect(result.frames).toBe(expectedFrames(name).length);
      expect(result.errors).toEqual([]);
      expect(result.peakRssMb).toBeGreaterThan(0);
    });
  }

  test('decode writes the frames it counts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tessera-decode-'));
    const output = join(folder, 'out.yuv');
    const result = decodeFile(path('BA1_Sony_D'), { output });
    expect(statSync(output).size).toBe((result.frames * result.width * result.height * 3) / 2);
    rmSync(folder, { recursive: true });
  });

  test('low delay gives the same frames', () => {
    expect(decodeFile(path('BA_MW_D'), { md5: true, lowDelay: true }).md5).toBe(md5Of('BA_MW_D'));
  });

  test('a size change in mid-stream is listed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tessera-decode-'));
    const input = join(folder, 'joined.264');
    writeFileSync(input, Buffer.concat([readFileSync(path('BA1_Sony_D')), readFileSync(path('CI1_FT_B'))]));
    const { sizes, errors } = decodeFile(input, {});
    expect(sizes).toEqual([
      { width: 176, height: 144, frames: 17 },
      { width: 352, height: 288, frames: 291 },
    ]);
    expect(errors).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('a file that is not there is one sentence', () => {
    expect(() => decodeFile('/nowhere/at/all.264', {})).toThrow(/^Cannot read \/nowhere\/at\/all\.264/);
  });

  test('probe tells profile, size, groups and slice types', () => {
    const result = probeFile(path('CABA3_SVA_B'), {});
    expect(result.profile).toBe('Main');
    expect(result.entropy).toBe('CABAC');
    expect([result.width, result.height, result.frames]).toEqual([176, 144, 33]);
    expect(result.slices['B']).toBeGreaterThan(0);
    expect(result.gops.reduce((sum, length) => sum + length, 0)).toBe(33);
  });

  test('probe lists every macroblock of a frame, and its bits add up to the slices', () => {
    const { pictures, headers } = probeFile(path('BA1_Sony_D'), { macroblocks: true, headers: true, frame: 0 });
    expect(pictures).toHaveLength(1);
    expect(pictures![0].macroblocks).toHaveLength(99);
    const bits = pictures![0].macroblocks.reduce((sum, macroblock) => sum + macroblock.bits, 0);
    const slice = headers!.find((header) => header.nal_unit_type === 5)!;
    expect(bits).toBeLessThan(slice.bytes * 8);
    expect(bits).toBeGreaterThan(slice.bytes * 8 * 0.9);
  });
});

describeWith(['material', 'ffmpeg'], 'probe of containers', () => {
  for (const extension of ['mp4', 'flv', 'mkv'] as const) {
    test(`probe shows the same of ${extension} as of the stream in it`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tessera-probe-'));
      const file = join(folder, `in.${extension}`);
      // times that a stream of B pictures needs come with MP4 only
      const steps = extension === 'mp4' ? [file] : [join(folder, 'first.mp4'), file];
      for (const [i, to] of steps.entries()) {
        const from = i === 0 ? ['-framerate', '25', '-i', path('CABA3_SVA_B')] : ['-i', steps[i - 1]!];
        expect(spawnSync('ffmpeg', ['-v', 'error', '-y', ...from, '-c', 'copy', to]).status).toBe(0);
      }
      const kind = await containerKind(file);
      const inside = await probeContainer(file, kind!, { macroblocks: true, frame: 2 });
      const raw = probeFile(path('CABA3_SVA_B'), { macroblocks: true, frame: 2 });
      const { container, fps, bytes, kbps } = inside;
      expect(container).toBe(extension === 'flv' ? 'flv' : 'mp4');
      expect(fps).toBeCloseTo(25, 1);
      expect({ ...inside, container: 'none', fps: null, kbps: null, bytes: raw.bytes }).toEqual(raw);
      expect(bytes).toBeGreaterThan(0);
      expect(kbps).toBeGreaterThan(0);
      rmSync(folder, { recursive: true });
    });
  }
});
