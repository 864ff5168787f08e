import { expect, test } from '@jest/globals';
import { ProtocolError } from '../../../../shared/errors.ts';
import { chooseRendition } from '../../../../server/delivery/rendition-choice.ts';
import { ViewerLimits } from '../../../../server/delivery/viewer-limits.ts';
import { clampReport, networkLagMs } from '../../../../server/delivery/viewer-report.ts';
import { Liveness } from '../../../../server/platform/liveness.ts';
import { MessageBudget } from '../../../../server/platform/message-budget.ts';
import {
  FakeProvider,
  rendition360,
  rendition720,
  request,
  STREAM,
  streamRoom,
  videoConfig,
} from '../../../support/stream-room.ts';

test('a report is clamped to what is possible, under the names that the server knows', () => {
  const report = clampReport(
    {
      type: 'report',
      rendition: 'lie',
      intervalMs: 1e9,
      painted: 1e9,
      dropped: 0,
      decodeErrors: 1e9,
      stalls: 1,
      stalledMs: 1e9,
      bufferMs: 1e9,
      latencyKind: 'glass',
      latencyMs: [-1e9, 80, 1e9, ...Array.from({ length: 200 }, () => 1)],
      joinMs: 1e9,
    },
    { stream: 's', session: 'x', rendition: '720p', epochMs: 1234.6, sinceLastMs: 1e6 },
  );
  expect(report).toMatchObject({ stream: 's', session: 'x', rendition: '720p', ts: 1235, intervalMs: 30_000 });
  expect([report.painted, report.decodeErrors, report.stalledMs, report.bufferMs]).toEqual([
    7200, 7200, 30_000, 600_000,
  ]);
  expect(report.latencyMs.slice(0, 3)).toEqual([-50, 80, 600_000]);
  expect(report.latencyMs).toHaveLength(64);
});

test('network lag is the median latency without what the player buffers on purpose', () => {
  const base = {
    type: 'report',
    rendition: 'r',
    intervalMs: 1000,
    painted: 1,
    dropped: 0,
    decodeErrors: 0,
    stalls: 0,
    stalledMs: 0,
  } as const;
  expect(networkLagMs({ ...base, latencyKind: 'ingest', bufferMs: 400, latencyMs: [9000, 500, 4400] })).toBe(4000);
  expect(networkLagMs({ ...base, latencyKind: 'ingest', bufferMs: 400, latencyMs: [] })).toBeNull();
});

test('auto is the best rendition of our encoder, else the source with the reason', () => {
  const provider = new FakeProvider(rendition360, rendition720);
  const { registry } = streamRoom({ renditions: provider });
  const slot = registry.open(request());
  const tracks = registry.get(STREAM)!.tracks;
  expect(chooseRendition('auto', tracks)).toEqual({ rendition: 'source' });
  slot.setTrack('video', videoConfig());
  expect(chooseRendition('auto', tracks)).toEqual({ rendition: '720p' });
  expect(chooseRendition('360p', tracks)).toEqual({ rendition: '360p' });
  expect(chooseRendition('source', tracks)).toEqual({ rendition: 'source' });
  expect(chooseRendition('8k', tracks)).toMatchObject({ rendition: 'source', reason: expect.stringContaining('8k') });
  provider.offered = [];
  provider.reason = 'No CPU is left.';
  expect(chooseRendition('auto', tracks)).toEqual({ rendition: 'source', reason: 'No CPU is left.' });
});

test('a source that our encoder made is what auto gives', () => {
  const { registry } = streamRoom({ renditions: new FakeProvider(rendition360) });
  registry.open(request()).setTrack('video', videoConfig({ codec: 'raw/i420' }));
  const tracks = registry.get(STREAM)!.tracks;
  tracks.source!.setConfig(videoConfig());
  expect(chooseRendition('auto', tracks)).toEqual({ rendition: 'source' });
});

test('viewers are limited in all and per address, and leaving frees the place once', () => {
  const limits = new ViewerLimits({ viewers: 3, viewersPerIp: 2 });
  const leave = limits.enter('a');
  limits.enter('a');
  expect(() => limits.enter('a')).toThrow(ProtocolError);
  limits.enter('b');
  expect(() => limits.enter('c')).toThrow('3 viewers');
  leave();
  leave();
  limits.enter('a');
  expect(() => limits.enter('b')).toThrow(ProtocolError);
});

test('a peer that answers, speaks or takes bytes lives; one that does nothing for an interval after a ping is dead', () => {
  const silent = new Liveness(10_000, 0);
  expect([silent.tick(9999, 0), silent.tick(10_000, 0), silent.tick(19_999, 0), silent.tick(20_000, 0)]).toEqual([
    'ok',
    'ping',
    'ok',
    'dead',
  ]);
  const answering = new Liveness(10_000, 0);
  answering.tick(10_000, 0);
  answering.ponged(10_050);
  expect([answering.tick(15_000, 0), answering.tick(20_000, 0)]).toEqual(['ok', 'ping']);
  const slow = new Liveness(10_000, 0);
  slow.tick(10_000, 0);
  expect([slow.tick(19_000, 500), slow.tick(28_000, 900), slow.unansweredMs(28_000)]).toEqual(['ok', 'ok', 18_000]);
  expect(slow.tick(40_000, 1300)).toBe('dead');
});

test('a message budget takes a burst, then the rate', () => {
  const budget = new MessageBudget({ perSecond: 10, burst: 3 }, 0);
  expect([0, 0, 0, 0].map((now) => budget.take(now))).toEqual([true, true, true, false]);
  expect([100, 100, 300, 300, 300].map((now) => budget.take(now))).toEqual([true, false, true, true, false]);
});
