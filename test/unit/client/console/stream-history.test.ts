import { expect, test } from '@jest/globals';
import { isCritical, issueNumbers, issueTitle } from '../../../../client/console/issue-words.ts';
import {
  appendPoint,
  joinHistory,
  pastPoints,
  toPoint,
  type HistoryPoint,
} from '../../../../client/console/stream-history.ts';
import { byUrgency, sortedIssues } from '../../../../client/console/urgency.ts';
import type { StreamHealth } from '../../../../client/ui/api.ts';

const health = (fields: Partial<StreamHealth>): StreamHealth => ({
  stream: 's',
  status: 'good',
  bitrateKbps: 2000,
  fps: 30,
  latencyMs: { kind: 'glass', p50: 40, p95: 70, p99: 90 },
  issues: [],
  ...fields,
});

test('what is unknown is a gap, never a zero', () => {
  expect(toPoint(1, health({ status: 'unknown' }), 3)).toMatchObject({
    bitrateKbps: null,
    latencyP50: null,
    viewers: 3,
  });
  expect(toPoint(1, null, null)).toMatchObject({ bitrateKbps: null, fps: null });
  expect(toPoint(1, health({}), 3)).toMatchObject({ bitrateKbps: 2000, latencyP95: 70 });
});

test('a pause in asking breaks the line', () => {
  const first = appendPoint([], toPoint(0, health({}), 1));
  const history = appendPoint(first, toPoint(10_000, health({}), 1));
  expect(history.map((point) => point.bitrateKbps)).toEqual([2000, null, 2000]);
});

test('keeps five minutes', () => {
  let history: readonly HistoryPoint[] = [];
  for (let second = 0; second < 500; second += 1) {
    history = appendPoint(history, toPoint(second * 1000, health({}), 1));
  }
  expect(history).toHaveLength(300);
  expect(history.at(-1)?.atMs).toBe(499_000);
});

test('streams that need an operator come first', () => {
  const view = (id: string, status: StreamHealth['status']) => ({
    summary: { id, state: 'live', since: 0, epoch: 1, publisher: null, viewers: 0, tracks: [] },
    health: health({ stream: id, status }),
    history: [],
  });
  const sorted = [view('a', 'good'), view('b', 'unknown'), view('c', 'bad'), view('d', 'ok')].sort(byUrgency);
  expect(sorted.map((stream) => stream.summary.id)).toEqual(['c', 'd', 'b', 'a']);
});

test('the worst issue comes first, in words', () => {
  const issue = (type: string, severity: string) => ({
    type,
    severity,
    stage: 'ingest',
    actual: 1,
    expected: 2,
    advice: '',
    since: 0,
  });
  const [worst] = sortedIssues(
    health({ issues: [issue('audio-silent', 'warning'), issue('bitrate-low', 'critical')] }),
  );
  expect(issueTitle(worst?.type ?? '')).toBe('Bitrate low');
});

const step = (start: number, bitrateKbps: number | null) => ({
  start,
  end: start + 10_000,
  bitrateKbps,
  fps: 30,
  viewers: 2,
  latencyP50Ms: null,
  latencyP95Ms: null,
});

test('the server’s history leads up to what the console has seen itself, and gaps stay gaps', () => {
  const past = pastPoints([step(0, 900), step(10_000, null), step(20_000, 1000), step(30_000, 1100)]);
  const own = [toPoint(28_000, null, 3), toPoint(29_000, null, 3)];
  const joined = joinHistory(past, own, 10_000);
  expect(joined.map(({ atMs, bitrateKbps }) => [atMs, bitrateKbps])).toEqual([
    [15_000, null],
    [25_000, 1000],
    [28_000, null],
    [29_000, null],
  ]);
});

test('the numbers of an issue have their units', () => {
  const issue = { severity: 'warning', stage: 'publisher', advice: '', since: 0 };
  expect(issueNumbers({ ...issue, type: 'frames-lost', actual: 0.051, expected: 0.02 })).toBe('5.1 %, expected 2 %');
  expect(issueNumbers({ ...issue, type: 'bitrate-low', actual: 400, expected: 2500 })).toContain('Mbit/s');
  expect(issueNumbers({ ...issue, type: 'something-new', actual: 'a', expected: 1.234 })).toBe('a, expected 1.23');
  expect(isCritical({ ...issue, type: 'starved', actual: 1, expected: 0 })).toBe(false);
});
