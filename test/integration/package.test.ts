// The npm package as somebody else gets it: packed, unpacked beside nothing of ours, imported by its public entries.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const PATIENCE_MS = 120_000;
const NODE_LIKE = [
  '--module',
  'nodenext',
  '--moduleResolution',
  'nodenext',
  '--target',
  'es2023',
  '--strict',
  '--noEmit',
];

let home = '';
const installed = (): string => join(home, 'node_modules/tessera-live');

function run(file: string, ...args: string[]): string {
  return execFileSync(process.execPath, [join(home, file), ...args], { cwd: home, encoding: 'utf8' });
}

describe('The npm package', () => {
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'tessera-package-'));
    mkdirSync(installed(), { recursive: true });
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', home], { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(home, packed), '-C', installed(), '--strip-components', '1']);
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  }, PATIENCE_MS);

  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });

  test('encodes and decodes with its codec alone, no other package installed', () => {
    writeFileSync(
      join(home, 'codec.js'),
      `import { H264Decoder, H264Encoder, packedI420, i420ByteLength, BT709_LIMITED, microseconds } from 'tessera-live/codec';
      const size = { width: 48, height: 32 };
      const shown = [];
      const decoder = new H264Decoder({ output: (f) => { shown.push([f.width, f.height, f.y.data[0], f.timestamp]); f.close(); }, error: (e) => { throw new Error(e.code); } });
      decoder.configure({ format: 'annexb' });
      const encoder = new H264Encoder({ output: (chunk) => decoder.decode(chunk) });
      encoder.configure({ ...size, framerate: { numerator: 25, denominator: 1 }, rateControl: { kind: 'qp', qp: 10 } });
      for (let n = 0; n < 3; n++) {
        const samples = new Uint8Array(i420ByteLength(48, 32)).fill(60 + 40 * n);
        encoder.encode(packedI420(samples, size, { timestamp: microseconds(n * 40000), colour: BT709_LIMITED }));
      }
      decoder.flush();
      console.log(JSON.stringify(shown));`,
    );
    const shown = JSON.parse(run('codec.js')) as [number, number, number, number][];
    expect(shown.map(([width, height, , timestamp]) => [width, height, timestamp])).toEqual([
      [48, 32, 0],
      [48, 32, 40_000],
      [48, 32, 80_000],
    ]);
    shown.forEach(([, , luma], n) => expect(Math.abs(luma - (60 + 40 * n))).toBeLessThanOrEqual(2));
  });

  test("runs the survey text's windows and MapReduce with its window engine", () => {
    writeFileSync(
      join(home, 'windows.js'),
      `import { collectOf, count, createWindowOperator, opaque, sumOf } from 'tessera-live/windows';
      import { runJob } from 'tessera-live/jobs';
      const windows = [];
      const operator = createWindowOperator({ window: count(3, 1), aggregate: opaque(collectOf()), onResult: ({ value }) => windows.push(value) });
      const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
      for (const n of numbers) operator.push('n', n, n);
      const job = { name: 'sum', map: (d, emit) => { emit('all', 2 * d, d); emit('all', 3 * d, d); }, window: count(3), reduce: sumOf };
      console.log(JSON.stringify({ windows, sums: runJob(job, numbers).map(({ value }) => value) }));`,
    );
    const { windows, sums } = JSON.parse(run('windows.js')) as { windows: number[][]; sums: number[] };
    expect(windows).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, i + 2, i + 3]));
    expect(sums).toEqual([30, 75, 120, 50]);
  });

  test(
    'has types that a strict project accepts, also for the player',
    () => {
      writeFileSync(
        join(home, 'types.ts'),
        `import { H264Encoder, type EncoderConfig } from 'tessera-live/codec';
      import { hopping, type WindowSpec } from 'tessera-live/windows';
      import type { Job } from 'tessera-live/jobs';
      import { Player, type PlayerOptions } from 'tessera-live/player';
      export const config: EncoderConfig = { width: 2, height: 2, framerate: { numerator: 1, denominator: 1 }, rateControl: { kind: 'qp', qp: 1 } };
      export const spec: WindowSpec = hopping(10, 1);
      export type Any = Job<number, number, unknown, number>;
      export const play = (canvas: HTMLCanvasElement, options: PlayerOptions): Player => new Player(canvas, options);
      // @ts-expect-error a preset that does not exist
      export const wrong: EncoderConfig = { ...config, preset: 'swift' };
      export const made: H264Encoder = new H264Encoder({ output: () => undefined });`,
      );
      const tsc = resolve('node_modules/.bin/tsc');
      const output = execFileSync(tsc, [...NODE_LIKE, '--skipLibCheck', '--types', '', 'types.ts'], {
        cwd: home,
        encoding: 'utf8',
      });
      expect(output).toBe('');
    },
    PATIENCE_MS,
  );

  test('brings the player with its workers beside it, and the command line', () => {
    const player = readFileSync(join(installed(), 'dist/player/player.js'), 'utf8');
    const parts = [...player.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)].map(([, path]) => path);
    expect(parts.length).toBeGreaterThanOrEqual(2);
    for (const part of parts) {
      expect(existsSync(join(installed(), 'dist/player', part))).toBe(true);
    }
    const wanted = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; dependencies: object };
    for (const name of Object.keys(wanted.dependencies)) {
      mkdirSync(resolve(home, 'node_modules', name, '..'), { recursive: true });
      symlinkSync(resolve('node_modules', name), join(home, 'node_modules', name));
    }
    expect(run('node_modules/tessera-live/dist/server/main.js', '--version').trim()).toBe(wanted.version);
  });
});
