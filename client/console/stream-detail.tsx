// One stream in full: what is wrong with it, its numbers over time, its tracks, and a way to watch it.

import { toEpochMs, type HealthIssue } from '../ui/api.ts';
import { Badge } from '../ui/badge.tsx';
import { formatBitrate, formatDuration, formatMs, formatRate, formatSize } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { HealthBadge } from './stream-table.tsx';
import { isCritical, issueNumbers, issueTitle } from './issue-words.ts';
import { StreamCharts } from './stream-charts.tsx';
import { sortedIssues, statusOf } from './urgency.ts';
import type { StreamView } from './use-console.ts';
import './stream-detail.css';

function Issue({ issue }: { readonly issue: HealthIssue }) {
  const tone = isCritical(issue) ? 'bad' : 'ok';
  return (
    <li class={`issue issue-${tone}`}>
      <Icon name="warning" size={18} />
      <div>
        <p class="issue-title">
          {issueTitle(issue.type)} <Badge tone={tone}>{issue.severity}</Badge> <Badge tone="plain">{issue.stage}</Badge>
        </p>
        <p class="issue-numbers">
          {issueNumbers(issue)}, for {formatDuration(Date.now() - toEpochMs(issue.since))}
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
    <div class="tracks-frame">
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
    </div>
  );
}

const PUBLISHERS: Readonly<Record<string, string>> = {
  rtmp: 'published by RTMP',
  websocket: 'published by WebSocket',
  internal: 'the built-in demo',
};

function factsOf({ summary, health }: StreamView): readonly string[] {
  const protocol = summary.publisher?.protocol;
  const keyframeMs = health?.keyframeIntervalMs ?? 0;
  const complete = typeof health?.complete === 'number' ? health.complete : null;
  const facts = [
    summary.state,
    `for ${formatDuration(Date.now() - toEpochMs(summary.since))}`,
    protocol === undefined ? '' : (PUBLISHERS[protocol] ?? `published by ${protocol}`),
    summary.epoch > 1 ? `publisher number ${summary.epoch}` : '',
    keyframeMs > 0 ? `key frame every ${formatMs(keyframeMs)}` : '',
    complete === null ? '' : `numbers from ${Math.floor(complete * 1000) / 10} % of the reports`,
  ];
  return facts.filter((fact) => fact !== '');
}

/** The panel beside the list. */
export function StreamDetail({ stream, token }: { readonly stream: StreamView; readonly token: string | null }) {
  const { summary } = stream;
  return (
    <section class="detail" aria-label={`Stream ${summary.id}`}>
      <div class="detail-head">
        <h2>{summary.id}</h2>
        <HealthBadge status={statusOf(stream)} />
        <a class="detail-watch" href={`/watch/${summary.id}`}>
          <Icon name="play" size={16} /> Watch
        </a>
      </div>
      <p class="detail-facts">{factsOf(stream).join(' · ')}</p>
      <Issues stream={stream} />
      <StreamCharts stream={stream} token={token} />
      <Tracks stream={stream} />
    </section>
  );
}
