import { expect, test } from '@jest/globals';
import { microseconds } from '../../../../shared/media/time.ts';
import type { FrameBatch } from '../../../../shared/telemetry/events.ts';
import {
  FakeProvider,
  RecordingSink,
  rendition360,
  rendition720,
  request,
  STREAM,
  streamRoom,
  unit,
  videoConfig,
} from '../../../support/stream-room.ts';

const stats = { encodeMs: 4, qp: 27 };

function watched(provider: FakeProvider) {
  const room = streamRoom({ renditions: provider, limits: { idlePublisherMs: 3_600_000 } });
  const publisher = request();
  const slot = room.registry.open(publisher);
  slot.setTrack('video', videoConfig());
  const stream = room.registry.get(STREAM)!;
  return { ...room, publisher, slot, stream, tracks: stream.tracks };
}

test('the menu lists our renditions best first and the source last', () => {
  const { tracks } = watched(new FakeProvider(rendition360, rendition720));
  expect(tracks.menu().renditions.map(({ name, encoder }) => `${name} ${encoder}`)).toEqual([
    '720p tessera',
    '360p tessera',
    'source publisher',
  ]);
});

test('without an offer the menu has the source and the reason', () => {
  const provider = new FakeProvider();
  provider.reason = 'no CPU left';
  const { tracks } = watched(provider);
  expect(tracks.menu()).toMatchObject({ renditions: [{ name: 'source' }], reason: 'no CPU left' });
  expect(tracks.holdRendition('720p')).toBeNull();
});

test('a rendition starts with its first viewer, is shared, and stops a little after its last', () => {
  const provider = new FakeProvider(rendition720);
  const { clock, tracks, events } = watched(provider);
  const first = tracks.holdRendition('720p')!;
  const second = tracks.holdRendition('720p')!;
  expect(provider.started).toHaveLength(1);
  expect(second.track).toBe(first.track);
  first.release();
  first.release();
  clock.advance(60_000);
  expect(provider.started[0]?.stopped).toBe(false);
  second.release();
  clock.advance(4900);
  expect(provider.started[0]?.stopped).toBe(false);
  tracks.holdRendition('720p')!.release();
  clock.advance(4900);
  expect(provider.started[0]?.stopped).toBe(false);
  clock.advance(200);
  expect(provider.started[0]?.stopped).toBe(true);
  expect(events.filter(({ type }) => type === 'rendition-start' || type === 'rendition-end')).toHaveLength(2);
});

test('what the encoder makes reaches sinks and telemetry, with its statistics', () => {
  const provider = new FakeProvider(rendition720);
  const { tracks, events, clock } = watched(provider);
  const held = tracks.holdRendition('720p')!;
  const sink = new RecordingSink();
  held.track.attach(sink);
  const output = provider.started[0].sink;
  output.setConfig(videoConfig());
  output.push(unit(0, 'key'), stats);
  output.push(unit(33), stats);
  expect(sink.log).toEqual(['config 1280', '0:0 key', '0:33']);
  clock.advance(1000);
  const batch = events.find((event): event is FrameBatch => event.type === 'frames');
  expect(batch).toMatchObject({ track: '720p', encodeMs: [4, 4], qp: [27, 27] });
});

test('a rendition that fails ends for its viewers, is off the menu with the reason, and is offered again later', () => {
  const provider = new FakeProvider(rendition720);
  const { clock, tracks } = watched(provider);
  const held = tracks.holdRendition('720p')!;
  const sink = new RecordingSink();
  held.track.attach(sink);
  provider.started[0].sink.fail('the worker died');
  expect(sink.log).toEqual(['end']);
  expect(tracks.menu()).toMatchObject({ renditions: [{ name: 'source' }], reason: 'the worker died' });
  expect(tracks.holdRendition('720p')).toBeNull();
  provider.started[0].sink.push(unit(0, 'key'), stats);
  clock.advance(2100);
  expect(tracks.holdRendition('720p')).not.toBeNull();
  expect(provider.started).toHaveLength(2);
});

test('a source of another size restarts what is still offered and ends what is not', () => {
  const provider = new FakeProvider(rendition720, rendition360);
  const { slot, tracks } = watched(provider);
  const large = tracks.holdRendition('720p')!;
  const small = tracks.holdRendition('360p')!;
  const sink = new RecordingSink();
  large.track.attach(sink);
  provider.offered = [{ ...rendition360, width: 480 }];
  slot.setTrack('video', videoConfig({ width: 480, height: 360 }));
  expect(sink.log).toEqual(['end']);
  expect(provider.started.map(({ stopped }) => stopped)).toEqual([true, true, false]);
  expect(tracks.holdRendition('360p')?.track).toBe(small.track);
});

test('raw pictures become the source through our encoder, with captured times, and their failure revokes the publisher', () => {
  const provider = new FakeProvider(rendition360);
  const { publisher, slot, tracks, stream, events, clock } = watched(provider);
  slot.setTrack('video', videoConfig({ codec: 'raw/i420' }));
  const started = provider.started[0];
  expect(started.description).toMatchObject({ name: 'source', width: 1280, height: 720, fps: 30, kbps: 2765 });
  const input = new RecordingSink();
  started.source.attach(input);
  slot.push('video', { ...unit(0, 'key'), captureTime: microseconds(5) });
  expect(input.units).toHaveLength(1);
  const output = new RecordingSink();
  started.sink.setConfig(videoConfig());
  tracks.source!.attach(output);
  started.sink.push(unit(0, 'key'), stats);
  expect(output.log).toEqual(['config 1280', '0:0 key']);
  expect(tracks.source?.encoder).toBe('tessera');
  expect(stream.latencyKind).toBe('glass');
  expect(tracks.all.map(({ name }) => name)).toEqual(['source']);
  clock.advance(1000);
  const told = events.filter((event) => event.type === 'frames').map((event) => (event as FrameBatch).track);
  expect(told.sort()).toEqual(['raw', 'source']); // what came, and what the encoder made of it
  started.sink.fail('no worker');
  expect(publisher.revoked).toEqual(['overloaded']);
});

test('the end of the stream stops every rendition', () => {
  const provider = new FakeProvider(rendition720);
  const { slot, tracks } = watched(provider);
  tracks.holdRendition('720p');
  slot.close('finished');
  expect(provider.started[0]?.stopped).toBe(true);
});
