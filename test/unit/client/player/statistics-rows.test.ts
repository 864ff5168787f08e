import { expect, test } from '@jest/globals';
import { INITIAL_STATE } from '../../../../client/player/player-state.ts';
import { codecTitle, statisticsRows } from '../../../../client/player/statistics-rows.ts';

test('names codecs as people do', () => {
  expect(codecTitle('avc1.64001f')).toBe('H.264 High');
  expect(codecTitle('avc1.42e01e')).toBe('H.264 Baseline');
  expect(codecTitle('av01.0.04M.08')).toBe('AV1');
  expect(codecTitle('x-odd')).toBe('x-odd');
});

test('says who encoded, who decodes and of what kind the latency is', () => {
  const rows = new Map(
    statisticsRows({
      ...INITIAL_STATE.stats,
      encoder: 'tessera',
      decoder: 'wasm',
      latencyKind: 'ingest',
      latencyMs: 47,
      latencyMedianMs: 41.6,
      latencyStages: { arrive: 20.4, decode: 6, wait: 12, draw: 3.6 },
      audio: { codec: 'opus', skewMs: -7.2, bufferMs: 40, underruns: 0 },
    }),
  );
  expect(rows.get('Encoded by')).toBe('Tessera encoder');
  expect(rows.get('Decoded by')).toBe('Tessera WASM');
  expect(rows.get('Latency, from ingest')).toBe('42 ms');
  expect(rows.get('Of that')).toBe('arriving 20, decoding 6, waiting 12, drawing 4 ms');
  expect(rows.get('Sound')).toBe('opus, skew -7 ms');
});
