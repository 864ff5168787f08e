// The chart of encoders: speed to the right (logarithmic, 1 = x264 superfast-baseline), fewer bits at the same PSNR to the top. An SVG
// that stands on a ground of its own, light or dark as the reader's system is, so that a page of either kind can show it. Pure;
// called by encode.ts.

/** One encoder at one setting. */
export type ChartPoint = {
  readonly name: string;
  /** Points of the same family are joined by a line, except those of `wasm`, which are different encoders. */
  readonly family: 'tessera' | 'native' | 'wasm';
  /** Frames per CPU second as a multiple of x264 superfast-baseline's; > 0. */
  readonly speed: number;
  /** BD-rate against x264 superfast, per cent; lower is better. */
  readonly bdRate: number;
};

const WIDTH = 760;
const HEIGHT = 400;
const PLOT = { left: 64, right: 730, top: 46, bottom: 344 } as const;
const SPEED_TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2] as const;
const BD_STEP = 10;
/** Room between a point and its name, and between names. */
const LABEL_GAP = 8;
const LINE_HEIGHT = 14;
const CHARACTER_WIDTH = 6.3;

const STYLE = `
  .ground { fill: #ffffff; stroke: #d0d7de }
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; fill: #24292f }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .tessera { fill: #0969da; stroke: #0969da }
  .native { fill: #6e7781; stroke: #6e7781 }
  .wasm { fill: #bc4c00; stroke: #bc4c00 }
  polyline { fill: none !important; stroke-width: 2 }
  text.tessera, text.native, text.wasm { stroke: none }
  text.tessera { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #30363d }
    text { fill: #8b949e }
    .title { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .tessera { fill: #58a6ff; stroke: #58a6ff }
    .native { fill: #9198a1; stroke: #9198a1 }
    .wasm { fill: #f0883e; stroke: #f0883e }
  }`;

type Axis = (value: number) => number;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const at = (value: number): string => value.toFixed(1);

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${at(x)}" y="${at(y)}"${attributes}>${escapeXml(words)}</text>`;
}

/** Lines and numbers of both axes. `bdTicks` from the best to the worst. */
function grid(x: Axis, y: Axis, speedTicks: readonly number[], bdTicks: readonly number[]): string[] {
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return [
    ...speedTicks.flatMap((speed) => [
      `<line class="grid" x1="${at(x(speed))}" x2="${at(x(speed))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
      text(x(speed), PLOT.bottom + 18, `${speed}x`, ' text-anchor="middle"'),
    ]),
    ...bdTicks.flatMap((bd) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at(y(bd))}" y2="${at(y(bd))}"/>`,
      text(PLOT.left - 8, y(bd) + 4, `${bd > 0 ? '+' : ''}${bd} %`, ' text-anchor="end"'),
    ]),
    text(
      (PLOT.left + PLOT.right) / 2,
      HEIGHT - 16,
      'speed against native x264 superfast, baseline',
      ' text-anchor="middle"',
    ),
    text(16, middle, 'bits at equal PSNR', ` text-anchor="middle" transform="rotate(-90 16 ${middle})"`),
  ];
}

type Box = { readonly left: number; readonly right: number; readonly y: number };

const overlaps = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && Math.abs(a.y - b.y) < LINE_HEIGHT;

/** A place for the name of each point: right of it, left of it, lines above or below, whichever is free first. */
function labels(points: readonly ChartPoint[], x: Axis, y: Axis): string[] {
  const taken: Box[] = points.map((point) => ({
    left: x(point.speed) - 5,
    right: x(point.speed) + 5,
    y: y(point.bdRate),
  }));
  return points.map(({ name, family, speed, bdRate }) => {
    const width = name.length * CHARACTER_WIDTH;
    const px = x(speed);
    const py = y(bdRate);
    const places: Box[] = [0, -1, 1, -2, 2].flatMap((lines) => [
      { left: px + LABEL_GAP, right: px + LABEL_GAP + width, y: py + lines * LINE_HEIGHT },
      { left: px - LABEL_GAP - width, right: px - LABEL_GAP, y: py + lines * LINE_HEIGHT },
    ]);
    const isFree = (box: Box): boolean =>
      box.right <= WIDTH - 4 && box.left >= PLOT.left && !taken.some((other) => overlaps(box, other));
    const place = places.find(isFree) ?? places[0] ?? { left: px, right: px, y: py };
    taken.push(place);
    return text(place.left, place.y + 4, name, ` class="${family}"`);
  });
}

/** The whole document. Throws RangeError when there is no point. */
export function drawEncoderChart(points: readonly ChartPoint[]): string {
  if (points.length === 0) {
    throw new RangeError('A chart needs at least one point.');
  }
  const worst = Math.ceil((Math.max(...points.map(({ bdRate }) => bdRate)) + 2) / BD_STEP) * BD_STEP;
  const best = Math.floor((Math.min(...points.map(({ bdRate }) => bdRate)) - 2) / BD_STEP) * BD_STEP;
  const slowest = Math.min(...points.map(({ speed }) => speed)) * 0.8;
  const fastest = Math.max(...points.map(({ speed }) => speed)) * 1.5;
  const x: Axis = (speed) =>
    PLOT.left + ((PLOT.right - PLOT.left) * Math.log(speed / slowest)) / Math.log(fastest / slowest);
  const y: Axis = (bd) => PLOT.top + ((PLOT.bottom - PLOT.top) * (bd - best)) / (worst - best);
  const bdTicks = Array.from({ length: (worst - best) / BD_STEP + 1 }, (_, i) => best + i * BD_STEP);
  const speedTicks = SPEED_TICKS.filter((speed) => speed >= slowest && speed <= fastest);
  const line = (family: ChartPoint['family']): string => {
    const sorted = points.filter((point) => point.family === family).sort((a, b) => a.speed - b.speed);
    const path = sorted.map(({ speed, bdRate }) => `${at(x(speed))},${at(y(bdRate))}`).join(' ');
    return `<polyline class="${family}" points="${path}"/>`;
  };
  const dots = points.map(
    ({ family, speed, bdRate }) => `<circle class="${family}" cx="${at(x(speed))}" cy="${at(y(bdRate))}" r="4"/>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    '<title>Speed and bit rate of H.264 encoders</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>`,
    text(PLOT.left, 28, 'One thread, 1280x720: faster to the right, fewer bits to the top', ' class="title"'),
    ...grid(x, y, speedTicks, bdTicks),
    line('tessera'),
    line('native'),
    ...dots,
    ...labels(points, x, y),
    '</svg>',
  ].join('\n')}\n`;
}
