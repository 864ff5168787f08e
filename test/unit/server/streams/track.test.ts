import { expect, test } from '@jest/globals';
import type { FrameBatch } from '../../../../shared/telemetry/events.ts';
import type { PublisherSlot } from '../../../../server/streams/roles.ts';
import type { Track } from '../../../../server/streams/track.ts';
import {
  audioConfig,
  RecordingSink,
  request,
  STREAM,
  streamRoom,
  unit,
  videoConfig,
  type Room,
} from '../../../support/stream-room.ts';

function publishing(limits = {}): Room & { slot: PublisherSlot; source: Track; keyframesAsked: () => number } {
  let asked = 0;
  const room = streamRoom({ limits });
  const slot = room.registry.open(request({ onKeyframeWanted: () => asked++ }));
  slot.setTrack('video', videoConfig());
  const source = room.registry.get(STREAM)?.tracks.source;
  if (source === null || source === undefined) {
    throw new Error('no source track');
  }
  return { ...room, slot, source, keyframesAsked: () => asked };
}

test('nothing passes before the first key unit, and groups are numbered by key units', () => {
  const { slot, source } = publishing();
  const sink = new RecordingSink();
  source.attach(sink);
  slot.push('video', unit(0));
  slot.push('video', unit(33, 'key'));
  slot.push('video', unit(66));
  slot.push('video', unit(100, 'key'));
  expect(sink.log).toEqual(['config 1280', '0:33 key', '0:66', '1:100 key']);
});

test('who attaches in the middle of a group gets it from its key unit on, marked as cached, then live', () => {
  const { slot, source } = publishing();
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33));
  const sink = new RecordingSink();
  const detach = source.attach(sink);
  slot.push('video', unit(66));
  detach();
  slot.push('video', unit(100));
  expect(sink.log).toEqual(['config 1280', '0:0* key', '0:33*', '0:66']);
});

test('a group that outgrows the cache is forgotten, and a joining sink starts with the next key unit', async () => {
  const { slot, source, metrics } = publishing({ groupCacheBytes: 250 });
  for (const ms of [0, 33, 66, 100]) {
    slot.push('video', unit(ms, ms === 0 ? 'key' : 'reference'));
  }
  const sink = new RecordingSink();
  source.attach(sink);
  slot.push('video', unit(133));
  slot.push('video', unit(166, 'key'));
  expect(sink.log).toEqual(['config 1280', '1:166 key']);
  expect(await metrics.registry.metrics()).toContain('tessera_group_cache_overflows_total 1');
});

test('a changed configuration reaches the sinks and nothing passes before its key unit; the same one does nothing', () => {
  const { slot, source } = publishing();
  const sink = new RecordingSink();
  source.attach(sink);
  slot.push('video', unit(0, 'key'));
  slot.setTrack('video', videoConfig());
  slot.push('video', unit(33));
  slot.setTrack('video', videoConfig({ width: 640 }));
  slot.push('video', unit(66));
  slot.push('video', unit(100, 'key'));
  expect(sink.log).toEqual(['config 1280', '0:0 key', '0:33', 'config 640', '1:100 key']);
});

test('a sink that throws is detached and nobody else notices', () => {
  const { slot, source } = publishing();
  const good = new RecordingSink();
  source.attach({
    onConfig: () => undefined,
    onUnit: () => {
      throw new Error('broken sink');
    },
    onEnd: () => undefined,
  });
  source.attach(good);
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33));
  expect(source.sinkCount).toBe(1);
  expect(good.units).toHaveLength(2);
});

test('key frames are asked for at most once in 2 s, whoever asks', () => {
  const { clock, source, keyframesAsked } = publishing();
  for (let second = 0; second < 5; second++) {
    source.requestKeyframe();
    source.requestKeyframe();
    clock.advance(1000);
  }
  expect(keyframesAsked()).toBe(3);
});

test('audio frames each stand alone and are never replayed', () => {
  const { slot, registry } = publishing();
  slot.setTrack('audio', audioConfig);
  slot.push('audio', unit(0));
  const sink = new RecordingSink();
  registry.get(STREAM)?.tracks.audio?.attach(sink);
  slot.push('audio', unit(21));
  slot.push('audio', unit(42, 'key'));
  expect(sink.log).toEqual(['config 48000', '1:21', '2:42 key']);
});

test('frames reach telemetry in batches of 250-500 ms with arrival, times, sizes and keys', () => {
  const { clock, slot, events } = publishing();
  const base = clock.epochMs();
  for (let frame = 0; frame < 30; frame++) {
    slot.push(
      'video',
      unit(frame * 40, frame % 25 === 0 ? 'key' : 'reference', { bytes: 10 + frame, arrivalMs: clock.epochMs() }),
    );
    clock.advance(40);
  }
  clock.advance(600);
  const batches = events.filter((event): event is FrameBatch => event.type === 'frames');
  expect(batches.flatMap(({ bytes }) => bytes)).toEqual(Array.from({ length: 30 }, (_, frame) => 10 + frame));
  expect(batches.flatMap(({ key }) => key).filter((key) => key === 1)).toHaveLength(2);
  expect(batches[0]).toMatchObject({ stream: STREAM, track: 'source', topic: 'ingest', ts: base });
  for (const batch of batches) {
    expect(Math.max(...batch.arrivalMs)).toBeLessThanOrEqual(500);
    expect(batch.ptsMs).toHaveLength(batch.bytes.length);
  }
  const arrivals = batches.flatMap((batch) => batch.arrivalMs.map((offset) => batch.ts + offset - base));
  expect(arrivals).toEqual(Array.from({ length: 30 }, (_, frame) => frame * 40));
});
