import { expect, test } from '@jest/globals';
import { ViewerStatistics } from '../../../../../server/cli/watch/viewer-statistics.ts';
import type { ReceivedUnit } from '../../../../../server/cli/watch/viewer-statistics.ts';

const picture = (index: number, more: Partial<ReceivedUnit> = {}): ReceivedUnit => ({
  kind: 'video',
  isKey: index === 0,
  isCached: false,
  bytes: 1000,
  ptsUs: index * 40_000,
  dtsUs: index * 40_000,
  at: 500 + index * 40,
  ...more,
});

test('measures joining, frame rate and bitrate over the time of the media', () => {
  const statistics = new ViewerStatistics(400);
  for (let i = 0; i < 50; i++) {
    statistics.add(picture(i));
  }
  expect(statistics.summary()).toMatchObject({
    joinMs: 100,
    frames: 50,
    fps: 25,
    bitrateKbps: 200,
    drops: 0,
    stalls: 0,
  });
});

test('counts missing objects of a group, and missing groups as one each', () => {
  const statistics = new ViewerStatistics(0);
  const at = (index: number, group: number, object: number): ReceivedUnit =>
    picture(index, { place: { track: '0', group, object } });
  statistics.add(at(0, 5, 3)); // joined in the middle
  statistics.add(at(1, 5, 4));
  statistics.add(at(2, 5, 7)); // two missing
  statistics.add(at(3, 6, 0));
  statistics.add(at(4, 9, 1)); // groups 7 and 8, and the first of 9
  expect(statistics.summary().drops).toBe(5);
});

test('begins the numbering again when a track restarts', () => {
  const statistics = new ViewerStatistics(0);
  statistics.add(picture(0, { place: { track: '0', group: 5, object: 3 } }));
  statistics.restartTrack('0');
  statistics.add(picture(1, { place: { track: '0', group: 0, object: 2 } }));
  expect(statistics.summary().drops).toBe(0);
});

test('counts a stall when a frame comes later than the playout can wait, and goes on from there', () => {
  const statistics = new ViewerStatistics(0);
  for (let i = 0; i < 10; i++) {
    statistics.add(picture(i));
  }
  for (let i = 10; i < 20; i++) {
    statistics.add(picture(i, { at: 500 + i * 40 + 400 }));
  }
  statistics.add(picture(20, { at: 500 + 20 * 40 + 600 })); // within the new delay
  expect(statistics.summary().stalls).toBe(1);
});

test('gives nearest-rank percentiles of live frames only', () => {
  const statistics = new ViewerStatistics(0);
  statistics.latencyKind = 'glass';
  statistics.add(picture(0, { isCached: true, latencyMs: 9000 }));
  for (let i = 1; i <= 100; i++) {
    statistics.add(picture(i, { latencyMs: i }));
  }
  expect(statistics.summary().latencyMs).toEqual({ kind: 'glass', p50: 50, p95: 95, p99: 99 });
});

test('has no latency where nothing tells it', () => {
  const statistics = new ViewerStatistics(0);
  statistics.add(picture(0));
  expect(statistics.summary().latencyMs).toEqual({ kind: 'ingest', p50: null, p95: null, p99: null });
});
