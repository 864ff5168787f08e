import { expect, test } from '@jest/globals';
import { type ChartPoint, drawEncoderChart } from '../../../../../server/cli/bench/encoder-chart.ts';

const POINTS: readonly ChartPoint[] = [
  { name: 'tessera fast', family: 'tessera', speed: 0.5, bdRate: 12 },
  { name: 'tessera quality', family: 'tessera', speed: 0.25, bdRate: -12 },
  { name: 'x264 superfast', family: 'native', speed: 1, bdRate: 0 },
  { name: 'a & b < c', family: 'wasm', speed: 0.125, bdRate: 17 },
];

const circles = (svg: string): { readonly cx: number; readonly cy: number }[] =>
  [...svg.matchAll(/<circle class="\w+" cx="([\d.]+)" cy="([\d.]+)"/g)].map((match) => ({
    cx: Number(match[1]),
    cy: Number(match[2]),
  }));

test('faster is further right, in equal steps per doubling, and fewer bits is further up', () => {
  const [fast, quality, native, wasm] = circles(drawEncoderChart(POINTS));
  expect(native.cx - fast.cx).toBeCloseTo(fast.cx - quality.cx, 0);
  expect(quality.cx - wasm.cx).toBeCloseTo(fast.cx - quality.cx, 0);
  expect([quality, native, fast, wasm].map(({ cy }) => cy)).toEqual(
    [quality, native, fast, wasm].map(({ cy }) => cy).toSorted((a, b) => a - b),
  );
});

test('every point has its name, and no two names lie on each other', () => {
  const svg = drawEncoderChart([...POINTS, { name: 'twin of fast', family: 'wasm', speed: 0.51, bdRate: 12.3 }]);
  const names = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" class="(?:tessera|native|wasm)">([^<]+)</g)];
  expect(names.map((match) => match[3])).toEqual([
    'tessera fast',
    'tessera quality',
    'x264 superfast',
    'a &amp; b &lt; c',
    'twin of fast',
  ]);
  const [fast, , , , twin] = names.map((match) => ({ x: Number(match[1]), y: Number(match[2]) }));
  expect(Math.abs(fast.x - twin.x) > 80 || Math.abs(fast.y - twin.y) >= 14).toBe(true);
});

test('a chart of nothing is refused', () => {
  expect(() => drawEncoderChart([])).toThrow(RangeError);
});
