import { expect, test } from '@jest/globals';
import { ProtocolError } from '../../../../shared/errors.ts';
import type { StreamId } from '../../../../shared/media/brands.ts';
import {
  audioConfig,
  KEY,
  RecordingSink,
  request,
  STREAM,
  streamRoom,
  unit,
  videoConfig,
} from '../../../support/stream-room.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
  return 'admitted';
};

test('a key opens its streams only, and a wrong one is refused and counted', async () => {
  const { registry, metrics } = streamRoom();
  expect(codeOf(() => registry.open(request({ key: 'nope' })))).toBe('wrong-key');
  expect(codeOf(() => registry.open(request({ key: '' })))).toBe('wrong-key');
  expect(codeOf(() => registry.open(request({ key: 'only-b' })))).toBe('wrong-key');
  expect(codeOf(() => registry.open(request({ key: 'only-b', streamId: 'b' as StreamId })))).toBe('admitted');
  expect(await metrics.registry.metrics()).toContain('tessera_refusals_total{code="wrong-key",protocol="websocket"} 3');
});

test('a stream goes live with its publisher, stalls after 2 s of silence and resumes with the next unit', () => {
  const { clock, registry, events } = streamRoom();
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  slot.push('video', unit(0, 'key'));
  const stream = registry.get(STREAM);
  expect(stream?.state.kind).toBe('live');
  clock.advance(1900);
  expect(stream?.state.kind).toBe('live');
  clock.advance(200);
  expect(stream?.state).toMatchObject({ kind: 'stalled', hasPublisher: true });
  slot.push('video', unit(33));
  expect(stream?.state.kind).toBe('live');
  const types = events.filter(({ topic }) => topic === 'session').map(({ type }) => type);
  expect(types).toEqual(['publish-start', 'publish-stalled', 'publish-resumed']);
});

test('a publisher that is silent for 10 s is disconnected and its stream waits, then ends', () => {
  const { clock, registry } = streamRoom();
  const publisher = request();
  registry.open(publisher);
  clock.advance(10_100);
  expect(publisher.revoked).toEqual(['timeout']);
  expect(registry.get(STREAM)?.state).toMatchObject({ kind: 'stalled', hasPublisher: false });
  clock.advance(30_000);
  expect(registry.get(STREAM)?.state.kind).toBe('ended');
  clock.advance(60_100);
  expect(registry.get(STREAM)).toBeNull();
});

test('a second publisher is busy while the first sends, with the same key and with another', () => {
  const { registry } = streamRoom();
  registry.open(request());
  expect(codeOf(() => registry.open(request()))).toBe('busy');
  expect(codeOf(() => registry.open(request({ key: 'other-key' })))).toBe('busy');
});

test('the same key takes over a silent publisher: epoch + 1, the old one is told once and ignored from then on', () => {
  const { clock, registry } = streamRoom();
  const first = request();
  const old = registry.open(first);
  old.setTrack('video', videoConfig());
  old.push('video', unit(0, 'key'));
  const sink = new RecordingSink();
  registry.get(STREAM)?.tracks.source?.attach(sink);
  clock.advance(2000);
  expect(codeOf(() => registry.open(request({ key: 'other-key' })))).toBe('busy');
  const next = registry.open(request());
  expect(next.epoch).toBe(2);
  expect(first.revoked).toEqual(['busy']);
  old.push('video', unit(40, 'key'));
  old.close('finished');
  next.setTrack('video', videoConfig());
  next.push('video', unit(7000, 'reference', { arrivalMs: 2000 }));
  next.push('video', unit(7033, 'key', { arrivalMs: 2033 }));
  expect(registry.get(STREAM)?.state.kind).toBe('live');
  expect(sink.log).toEqual(['config 1280', '0:0* key', '1:2033 key']);
});

test('a lost connection frees the slot for the same key at once, and keeps it from others', () => {
  const { registry } = streamRoom();
  registry.open(request()).close('lost');
  expect(codeOf(() => registry.open(request({ key: 'other-key' })))).toBe('busy');
  expect(registry.open(request()).epoch).toBe(2);
});

test('a publisher that says goodbye ends the stream, and anybody with a key may start it again', () => {
  const { registry } = streamRoom();
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  slot.push('video', unit(0, 'key'));
  const sink = new RecordingSink();
  registry.get(STREAM)?.tracks.source?.attach(sink);
  slot.close('finished');
  expect(registry.get(STREAM)?.state.kind).toBe('ended');
  expect(sink.log.at(-1)).toBe('end');
  expect(registry.open(request({ key: 'other-key' })).epoch).toBe(2);
});

test('publishers are limited, counting those who are awaited, and a reconnect is not one more', () => {
  const { registry } = streamRoom({ limits: { publishers: 2 } });
  registry.open(request({ streamId: 'one' as StreamId })).close('lost');
  registry.open(request({ streamId: 'two' as StreamId }));
  expect(codeOf(() => registry.open(request({ streamId: 'three' as StreamId })))).toBe('limit');
  expect(codeOf(() => registry.open(request({ streamId: 'one' as StreamId })))).toBe('admitted');
});

test('tracks have names of a publisher, a limit, and no raw pictures without an encoder', () => {
  const { registry } = streamRoom({ limits: { tracksPerPublisher: 2 } });
  const slot = registry.open(request());
  const announce = (name: string, config = videoConfig()) => codeOf(() => slot.setTrack(name, config));
  expect(announce('source')).toBe('malformed');
  expect(announce('audio')).toBe('malformed');
  expect(announce('video', videoConfig({ codec: 'raw/i420' }))).toBe('unsupported-codec');
  expect(announce('video')).toBe('admitted');
  expect(announce('video2')).toBe('admitted');
  expect(announce('video3')).toBe('limit');
  expect(announce('video')).toBe('admitted');
});

test('the status says what the API says: state, epoch, publisher, viewers and tracks', () => {
  const { clock, registry } = streamRoom();
  const slot = registry.open(request({ address: '192.0.2.1' }));
  expect(registry.statuses()).toHaveLength(1);
  slot.setTrack('video', videoConfig());
  slot.setTrack('audio', audioConfig);
  for (let frame = 0; frame < 90; frame++) {
    slot.push('video', unit(frame * 33, frame % 30 === 0 ? 'key' : 'reference', { bytes: 1000 }));
    clock.advance(33);
  }
  const release = registry.get(STREAM)?.addViewer();
  expect(registry.statuses()).toMatchObject([
    {
      id: STREAM,
      state: 'live',
      epoch: 1,
      viewers: 1,
      publisher: { protocol: 'websocket', address: '192.0.2.1' },
      tracks: [
        { name: 'source', kind: 'video', codec: 'avc1.42c01f', width: 1280, height: 720, encoder: 'publisher' },
        { name: 'audio', kind: 'audio', codec: 'mp4a.40.2', bitrateKbps: 0 },
      ],
    },
  ]);
  const track = registry.statuses()[0]?.tracks[0];
  expect(Math.abs((track?.fps ?? 0) - 30.3)).toBeLessThan(0.6);
  expect(Math.abs((track?.bitrateKbps ?? 0) - 242)).toBeLessThan(5);
  release?.();
  release?.();
  expect(registry.get(STREAM)?.viewers).toBe(0);
});

test('draining tells publishers and viewers, and admits nobody', () => {
  const { registry } = streamRoom();
  const publisher = request();
  registry.open(publisher);
  const states: string[] = [];
  const stream = registry.get(STREAM);
  stream?.listen(() => states.push(stream.state.kind));
  registry.drain();
  expect(publisher.revoked).toEqual(['overloaded']);
  expect(states.at(-1)).toBe('ended');
  expect(codeOf(() => registry.open(request()))).toBe('overloaded');
});

test('refusals reach telemetry at most ten times per second and are all counted', async () => {
  const { clock, registry, events, metrics } = streamRoom();
  for (let attempt = 0; attempt < 100; attempt++) {
    codeOf(() => registry.open(request({ key: 'nope' })));
  }
  expect(events.filter(({ type }) => type === 'refused')).toHaveLength(10);
  clock.advance(1000);
  codeOf(() => registry.open(request({ key: 'nope' })));
  expect(events.filter(({ type }) => type === 'refused')).toHaveLength(11);
  expect(await metrics.registry.metrics()).toContain('protocol="websocket"} 101');
  expect(JSON.stringify(events)).not.toContain(KEY);
});
