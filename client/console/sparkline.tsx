// A line of the last values, a word high.

import './sparkline.css';

const WIDTH = 84;
const HEIGHT = 22;
const POINTS = 60;

/** Path of the last values, broken where they are unknown; the scale starts at zero. */
function sparklinePath(values: readonly (number | null)[]): string {
  const recent = values.slice(-POINTS);
  const highest = Math.max(1, ...recent.map((value) => value ?? 0));
  let isDrawing = false;
  const steps = recent.map((value, index) => {
    if (value === null) {
      isDrawing = false;
      return '';
    }
    const x = (WIDTH * (index + POINTS - recent.length)) / (POINTS - 1);
    const y = HEIGHT - 2 - ((HEIGHT - 4) * value) / highest;
    const command = isDrawing ? 'L' : 'M';
    isDrawing = true;
    return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return steps.join('');
}

/** One small chart without words. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  return (
    <svg class="sparkline" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={sparklinePath(values)} />
    </svg>
  );
}
