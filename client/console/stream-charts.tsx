// Bitrate, frame rate, latency and viewers of one stream: the last minutes as they come, or hours from the server's history.

import { useState } from 'preact/hooks';
import { getPast } from '../ui/api.ts';
import { formatBitrate, formatMs, formatRate } from '../ui/format.ts';
import { usePolling } from '../ui/use-polling.ts';
import { joinHistory, pastPoints, type HistoryPoint } from './stream-history.ts';
import { TimeChart } from './time-chart.tsx';
import type { StreamView } from './use-console.ts';
import './stream-charts.css';

type Range = { readonly name: string; readonly ms: number; readonly stepMs: number };

const MINUTE_MS = 60_000;
const RANGES: readonly Range[] = [
  { name: '5 min', ms: 5 * MINUTE_MS, stepMs: 10_000 },
  { name: '1 h', ms: 60 * MINUTE_MS, stepMs: 10_000 },
  { name: '6 h', ms: 360 * MINUTE_MS, stepMs: 60_000 },
  { name: '24 h', ms: 1440 * MINUTE_MS, stepMs: 240_000 },
];
const RENEW_MS = 10_000;

function useHistory(stream: StreamView, range: Range, token: string | null): readonly HistoryPoint[] {
  const { id } = stream.summary;
  const { answer } = usePolling(
    async () => {
      const toMs = Date.now();
      const past = await getPast(id, { fromMs: toMs - range.ms, toMs, stepMs: range.stepMs }, token);
      return { range, points: pastPoints(past) };
    },
    RENEW_MS,
    [id, range, token],
  );
  const past = answer?.range === range ? answer.points : [];
  return joinHistory(past, stream.history, Date.now() - range.ms);
}

/** The choice of a span, and the charts under it. */
export function StreamCharts({ stream, token }: { readonly stream: StreamView; readonly token: string | null }) {
  const [range, setRange] = useState<Range>(RANGES[0] as Range);
  const history = useHistory(stream, range, token);
  const { health } = stream;
  const kind = health?.latencyMs?.kind === 'ingest' ? 'Latency from ingest' : 'Latency, glass to glass';
  const spanS = range.ms / 1000;
  return (
    <div class="charts">
      <div class="charts-ranges" role="group" aria-label="Time shown">
        {RANGES.map((one) => (
          <button key={one.name} type="button" aria-pressed={one === range} onClick={() => setRange(one)}>
            {one.name}
          </button>
        ))}
      </div>
      <TimeChart
        title="Bitrate"
        now={formatBitrate(health?.bitrateKbps)}
        unit="kbit/s"
        spanS={spanS}
        history={history}
        series={[{ name: 'bitrate', colour: '--series-1', value: (point) => point.bitrateKbps }]}
      />
      <TimeChart
        title="Frame rate"
        now={health?.fps === null || health?.fps === undefined ? '–' : `${formatRate(health.fps)} fps`}
        unit="fps"
        spanS={spanS}
        history={history}
        series={[{ name: 'fps', colour: '--series-2', value: (point) => point.fps }]}
      />
      <TimeChart
        title={kind}
        now={`p50 ${formatMs(health?.latencyMs?.p50)}, p95 ${formatMs(health?.latencyMs?.p95)}`}
        unit="ms"
        spanS={spanS}
        history={history}
        series={[
          { name: 'p50', colour: '--series-3', value: (point) => point.latencyP50 },
          { name: 'p95', colour: '--series-4', value: (point) => point.latencyP95 },
        ]}
      />
      <TimeChart
        title="Viewers"
        now={stream.summary.viewers.toLocaleString('en')}
        unit=""
        spanS={spanS}
        history={history}
        series={[{ name: 'viewers', colour: '--series-1', value: (point) => point.viewers }]}
      />
    </div>
  );
}
