import { expect, test } from '@jest/globals';
import { appendPoint, toPoint, type HistoryPoint } from '../../../../client/console/stream-history.ts';
import { byUrgency, issueTitle, sortedIssues } from '../../../../client/console/urgency.ts';
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
