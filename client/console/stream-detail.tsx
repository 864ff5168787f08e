// One stream in full: what is wrong with it, its numbers over time, its tracks, and a way to watch it.

import { toEpochMs, type HealthIssue } from '../ui/api.ts';
import { Badge } from '../ui/badge.tsx';
import { formatBitrate, formatDuration, formatMs, formatRate, formatSize } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { HealthBadge } from './stream-table.tsx';
import { TimeChart } from './time-chart.tsx';
import { issueTitle, sortedIssues, statusOf } from './urgency.ts';
import type { StreamView } from './use-console.ts';
import './stream-detail.css';

function valueOf(value: unknown): string {
  if (typeof value === 'number') {
    return String(Math.round(value * 100) / 100);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Issue({ issue }: { readonly issue: HealthIssue }) {
  return (
    <li class="issue">
      <Icon name="warning" size={18} />
      <div>
        <p class="issue-title">
          {issueTitle(issue.type)} <Badge tone="plain">{issue.stage}</Badge>
        </p>
        <p class="issue-numbers">
          {valueOf(issue.actual)}, expected {valueOf(issue.expected)}, for{' '}
          {formatDuration(Date.now() - toEpochMs(issue.since))}
        </p>
        <p>{issue.advice}</p>
      </div>
    </li>
  );
}

function Issues({ stream }: { readonly stream: StreamView }) {
  const issues = sortedIssues(stream.health);
  const status = statusOf(stream);
  if (issues.length > 0) {
    return (
      <ul class="issues">
        {issues.map((issue) => (
          <Issue key={issue.type} issue={issue} />
        ))}
      </ul>
    );
  }
  return (
    <p class="detail-quiet">
      {status === 'unknown'
        ? 'The server has no complete window of this stream yet.'
        : 'Nothing is wrong with this stream.'}
    </p>
  );
}

function Tracks({ stream }: { readonly stream: StreamView }) {
  return (
    <table class="tracks">
      <tbody>
        {stream.summary.tracks.map((track) => (
          <tr key={track.name}>
            <th scope="row">{track.name}</th>
            <td>{track.codec}</td>
            <td>{track.kind === 'video' ? formatSize(track.width ?? 0, track.height ?? 0) : ''}</td>
            <td>{track.fps === undefined ? '' : `${formatRate(track.fps)} fps`}</td>
            <td>{track.bitrateKbps === undefined ? '' : formatBitrate(track.bitrateKbps)}</td>
            <td>{track.encoder === 'tessera' ? <Badge tone="accent">Tessera</Badge> : ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Charts({ stream }: { readonly stream: StreamView }) {
  const { history, health } = stream;
  const kind = health?.latencyMs?.kind === 'ingest' ? 'Latency from ingest' : 'Latency, glass to glass';
  return (
    <div class="charts">
      <TimeChart
        title="Bitrate"
        now={formatBitrate(health?.bitrateKbps)}
        unit="kbit/s"
        history={history}
        series={[{ name: 'bitrate', colour: '--series-1', value: (point) => point.bitrateKbps }]}
      />
      <TimeChart
        title="Frame rate"
        now={`${formatRate(health?.fps ?? 0)} fps`}
        unit="fps"
        history={history}
        series={[{ name: 'fps', colour: '--series-2', value: (point) => point.fps }]}
      />
      <TimeChart
        title={kind}
        now={`p50 ${formatMs(health?.latencyMs?.p50)}, p95 ${formatMs(health?.latencyMs?.p95)}`}
        unit="ms"
        history={history}
        series={[
          { name: 'p50', colour: '--series-3', value: (point) => point.latencyP50 },
          { name: 'p95', colour: '--series-4', value: (point) => point.latencyP95 },
        ]}
      />
    </div>
  );
}

/** The panel beside the list. */
export function StreamDetail({ stream }: { readonly stream: StreamView }) {
  const { summary, health } = stream;
  const protocol = summary.publisher?.protocol;
  const keyframeMs = health?.keyframeIntervalMs ?? 0;
  const facts = [
    summary.state,
    `for ${formatDuration(Date.now() - toEpochMs(summary.since))}`,
    protocol === undefined ? '' : `published by ${protocol === 'rtmp' ? 'RTMP' : protocol}`,
    summary.epoch > 1 ? `publisher number ${summary.epoch}` : '',
    keyframeMs > 0 ? `key frame every ${formatMs(keyframeMs)}` : '',
  ];
  return (
    <section class="detail">
      <div class="detail-head">
        <h2>{summary.id}</h2>
        <HealthBadge status={statusOf(stream)} />
        <a class="detail-watch" href={`/watch/${summary.id}`}>
          <Icon name="play" size={16} /> Watch
        </a>
      </div>
      <p class="detail-facts">{facts.filter((fact) => fact !== '').join(' · ')}</p>
      <Issues stream={stream} />
      <Charts stream={stream} />
      <Tracks stream={stream} />
    </section>
  );
}
