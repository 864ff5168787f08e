// All streams, the unwell ones first, each with the reason in its own line.

import { Badge, type BadgeTone } from '../ui/badge.tsx';
import { formatBitrate, formatMs, formatRate } from '../ui/format.ts';
import { Sparkline } from './sparkline.tsx';
import { issueTitle } from './issue-words.ts';
import { sortedIssues, statusOf, type HealthStatus } from './urgency.ts';
import type { StreamView } from './use-console.ts';
import './stream-table.css';

const WORDS: Readonly<Record<HealthStatus, string>> = { good: 'Good', ok: 'Fair', bad: 'Bad', unknown: 'Unknown' };

/** The badge of a health status. */
export function HealthBadge({ status }: { readonly status: HealthStatus }) {
  const tone: BadgeTone = status;
  return <Badge tone={tone}>{WORDS[status]}</Badge>;
}

type RowProps = { readonly stream: StreamView; readonly isSelected: boolean; readonly onSelect: () => void };

function Row({ stream, isSelected, onSelect }: RowProps) {
  const { summary, health, history } = stream;
  const [worst] = sortedIssues(health);
  return (
    <tr class={isSelected ? 'row row-selected' : 'row'} onClick={onSelect}>
      <td>
        <HealthBadge status={statusOf(stream)} />
      </td>
      <td class="row-stream">
        <button type="button" onClick={onSelect} aria-pressed={isSelected}>
          {summary.id}
        </button>
        <span>{worst === undefined ? summary.state : issueTitle(worst.type)}</span>
      </td>
      <td class="row-chart">
        <Sparkline values={history.map((point) => point.bitrateKbps)} />
      </td>
      <td class="row-number">{formatBitrate(health?.bitrateKbps)}</td>
      <td class="row-number row-fps">{formatRate(health?.fps ?? 0)}</td>
      <td class="row-number">{formatMs(health?.latencyMs?.p50)}</td>
      <td class="row-number">{summary.viewers.toLocaleString('en')}</td>
    </tr>
  );
}

type StreamTableProps = {
  readonly streams: readonly StreamView[];
  readonly selected: string | null;
  readonly onSelect: (stream: string) => void;
};

/** The list; a row chooses what the detail shows. */
export function StreamTable({ streams, selected, onSelect }: StreamTableProps) {
  return (
    <div class="table-frame">
      <table class="stream-table">
        <thead>
          <tr>
            <th scope="col">Health</th>
            <th scope="col">Stream</th>
            <th scope="col" class="row-chart" aria-label="Bitrate over time" />
            <th scope="col" class="row-number">
              Bitrate
            </th>
            <th scope="col" class="row-number row-fps">
              fps
            </th>
            <th scope="col" class="row-number">
              Latency
            </th>
            <th scope="col" class="row-number">
              Viewers
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <Row
              key={stream.summary.id}
              stream={stream}
              isSelected={stream.summary.id === selected}
              onSelect={() => onSelect(stream.summary.id)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
