// A chart of one quantity over the last minutes, drawn by uPlot in the colours of the tokens.

import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistoryPoint } from './stream-history.ts';
import './time-chart.css';

type Series = {
  readonly name: string;
  /** A custom property of tokens.css. */
  readonly colour: string;
  readonly value: (point: HistoryPoint) => number | null;
};

type TimeChartProps = {
  readonly title: string;
  /** The newest value, in words. */
  readonly now: string;
  readonly unit: string;
  /** Seconds that are shown, up to now. */
  readonly spanS: number;
  readonly history: readonly HistoryPoint[];
  readonly series: readonly Series[];
};

const HEIGHT = 132;

function toData({ history, series }: Pick<TimeChartProps, 'history' | 'series'>): UPlot.AlignedData {
  return [history.map((point) => point.atMs / 1000), ...series.map((one) => history.map((point) => one.value(point)))];
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

function clockTime(seconds: number, spanS: number): string {
  return (spanS > SECONDS_MATTER_S ? SHORT_CLOCK : CLOCK).format(seconds * 1000);
}

const SHORT_CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const SECONDS_MATTER_S = 900;

// Up to now, whatever the newest point is: a stream that is offline shows its gap.
function spanUpToNow(spanS: number): [number, number] {
  const nowS = Date.now() / 1000;
  return [nowS - spanS, nowS];
}

function optionsFor(latest: () => TimeChartProps, width: number): UPlot.Options {
  const props = latest();
  const axis: UPlot.Axis = {
    stroke: token('--text-faint'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { range: () => spanUpToNow(latest().spanS) },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.15)] },
    },
    axes: [
      { ...axis, size: 26, space: 90, values: (_chart, splits) => splits.map((at) => clockTime(at, latest().spanS)) },
      { ...axis, size: 52, space: 34 },
    ],
    series: [
      {},
      ...props.series.map((one) => ({
        label: one.name,
        stroke: token(one.colour),
        fill: props.series.length === 1 ? `${token(one.colour)}1c` : 'transparent',
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

/** Title, newest value, lines. */
export function TimeChart(props: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const target = place.current;
    if (target === null) {
      return undefined;
    }
    const draw = () => {
      chart.current?.destroy();
      chart.current = new UPlot(
        optionsFor(() => latest.current, target.clientWidth),
        toData(latest.current),
        target,
      );
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: light)');
    scheme.addEventListener('change', draw);
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: target.clientWidth, height: HEIGHT }));
    observer.observe(target);
    return () => {
      scheme.removeEventListener('change', draw);
      observer.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setData(toData(props));
  }, [props.history]);

  return (
    <figure class="time-chart">
      <figcaption>
        <span>
          {props.title} <small>{props.unit}</small>
        </span>
        <strong>{props.now}</strong>
      </figcaption>
      <div ref={place} />
    </figure>
  );
}
