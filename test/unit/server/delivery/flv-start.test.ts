import { expect, test } from '@jest/globals';
import { httpFlvFormat } from '../../../../server/delivery/flv-format.ts';
import { startWhenTracksAreKnown } from '../../../../server/delivery/flv-start.ts';
import type { AacProvider, StreamTrack, TrackSink } from '../../../../server/streams/roles.ts';
import type { AccessUnit, TrackConfig } from '../../../../shared/media/access-unit.ts';
import { audioConfig, request, STREAM, streamRoom, unit, videoConfig } from '../../../support/stream-room.ts';

const opusConfig: TrackConfig = { kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 };

/** An AAC twin whose start the test decides. */
class Twin implements StreamTrack {
  readonly name = 'audio';
  readonly encoder = 'tessera';
  readonly sinks = new Set<TrackSink>();
  config: TrackConfig | null = null;
  recentUnits: readonly AccessUnit[] = [];
  attach(sink: TrackSink): () => void {
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }
  requestKeyframe(): void {
    return;
  }
}

function room(audio: TrackConfig | null, aac?: AacProvider) {
  const { registry, clock } = streamRoom();
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  if (audio !== null) {
    slot.setTrack('audio', audio);
  }
  const log: string[] = [];
  const release = startWhenTracksAreKnown({
    context: { clock, ...(aac === undefined ? {} : { aac }) },
    stream: registry.get(STREAM)!,
    format: httpFlvFormat,
    onReady: () => void log.push('ready'),
    onWithoutAudio: (reason) => void log.push(reason),
  });
  return { slot, clock, log, release };
}

test('a stream with audio that FLV carries starts with its first group', () => {
  const { slot, clock, log } = room(audioConfig);
  clock.advance(1000);
  expect(log).toEqual([]);
  slot.push('video', unit(0, 'key'));
  clock.advance(50);
  expect(log).toEqual(['ready']);
  clock.advance(10_000);
  expect(log).toEqual(['ready']);
});

test('a stream with Opus starts when its AAC has reached the picture, and holds it until the viewer leaves', () => {
  const twin = new Twin();
  const { slot, clock, log, release } = room(opusConfig, { aacOf: () => twin });
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(1000, 'key'));
  clock.advance(1000);
  expect([log, twin.sinks.size]).toEqual([[], 1]);
  twin.config = audioConfig;
  twin.recentUnits = [unit(0), unit(980)];
  clock.advance(50);
  expect(log).toEqual([]);
  twin.recentUnits = [unit(0), unit(980), unit(1001)];
  clock.advance(50);
  expect([log, twin.sinks.size]).toEqual([['ready'], 1]);
  release();
  expect(twin.sinks.size).toBe(0);
});

test('AAC that does not come in time is done without, and the reason is told', () => {
  const { slot, clock, log } = room(opusConfig, {
    aacOf: (() => {
      const twin = new Twin();
      return () => twin;
    })(),
  });
  slot.push('video', unit(0, 'key'));
  clock.advance(5000);
  expect(log).toEqual(['The AAC of the audio did not start in time.', 'ready']);
});

test('a stream with Opus that nothing makes AAC of starts at once, and the reason is told', () => {
  const { slot, clock, log } = room(opusConfig, { aacOf: () => ({ reason: 'No ffmpeg.' }) });
  slot.push('video', unit(0, 'key'));
  clock.advance(50);
  expect(log).toEqual(['No ffmpeg.', 'ready']);
});

test('a viewer who leaves before is never started', () => {
  const twin = new Twin();
  const { slot, clock, log, release } = room(opusConfig, { aacOf: () => twin });
  slot.push('video', unit(0, 'key'));
  clock.advance(50);
  release();
  clock.advance(10_000);
  expect([log, twin.sinks.size]).toEqual([[], 0]);
});
