// The codec examples as a reader runs them: what one writes the other reads, and it is the picture that was drawn.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

const WIDTH = 320;
const HEIGHT = 180;
const FRAMES = 75;
const folder = mkdtempSync(join(tmpdir(), 'tessera-examples-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function run(example: string, ...args: string[]): string[] {
  const command = ['--import', 'tsx', `examples/${example}/${example}.ts`, ...args];
  return execFileSync(process.execPath, command, { encoding: 'utf8' }).trim().split('\n');
}

test('encode-file writes what decode-file reads', () => {
  const coded = join(folder, 'out.264');
  const decoded = join(folder, 'out.yuv');
  const told = run('encode-file', coded);
  expect(told).toHaveLength(FRAMES);
  expect(told[0]).toMatch(/^key /);
  expect(run('decode-file', coded, decoded)).toEqual([`${FRAMES} frames`]);
  const samples = readFileSync(decoded);
  const frameBytes = (WIDTH * HEIGHT * 3) / 2;
  expect(samples).toHaveLength(FRAMES * frameBytes);
  const n = FRAMES - 1;
  let squared = 0;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const drawn = 60 + (((x + 2 * n) >> 3) ^ ((y + n) >> 3)) * 3;
      squared += ((samples[n * frameBytes + y * WIDTH + x] ?? 0) - drawn) ** 2;
    }
  }
  expect(10 * Math.log10(255 ** 2 / (squared / (WIDTH * HEIGHT)))).toBeGreaterThan(30);
}, 120_000);
