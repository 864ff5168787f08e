import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, HIGH_WATER_BYTES, PacketPipe } from '../../../../../server/ingest/rtmp/packet-pipe.ts';
import type { PipeFrame } from '../../../../../server/ingest/rtmp/packet-pipe.ts';
import { microseconds } from '../../../../../shared/media/time.ts';
import { eventually } from '../../../../support/eventually.ts';
import { hex } from '../../../../support/hex.ts';

const frames: readonly PipeFrame[] = [
  { kind: 'listening', session: 0, body: { port: 1935 } },
  { kind: 'publish-request', session: 7, body: { name: 'demo', key: 'k', address: '::1' } },
  { kind: 'refuse', session: 7, body: { code: 'wrong-key', sentence: 'No.' } },
  {
    kind: 'media',
    session: 0xffffffff,
    tag: { type: 9, timestamp: 0xfffffffe, data: hex('17 01 000000') },
    arrivalTime: microseconds(1_700_000_000_000_123),
  },
  { kind: 'closed', session: 7, body: { how: 'lost', code: 'timeout', sentence: 'Late.' } },
  { kind: 'alive', session: 0, body: { rssBytes: 1, connections: 2, tallies: [{ kind: 'dropped', count: 3 }] } },
];

function receiver(): { readonly stream: PassThrough; readonly found: PipeFrame[]; readonly violations: Error[] } {
  const stream = new PassThrough();
  const found: PipeFrame[] = [];
  const violations: Error[] = [];
  new PacketPipe(stream, { onFrame: (frame) => found.push(frame), onViolation: (error) => violations.push(error) });
  return { stream, found, violations };
}

test('reads back every kind of frame, however the bytes are split', async () => {
  const bytes = Buffer.concat(frames.map(encodeFrame));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 80 }), async (step) => {
      const { stream, found, violations } = receiver();
      for (let at = 0; at < bytes.length; at += step) {
        stream.write(bytes.subarray(at, at + step));
      }
      await eventually('all frames', () => found.length === frames.length);
      expect(found).toEqual(frames);
      expect(violations).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test('hands media on as a copy of its own, not as a view on what the pipe received', async () => {
  const { stream, found } = receiver();
  stream.write(Buffer.concat(frames.map(encodeFrame)));
  const media = await eventually('the media', () => found.find((frame) => frame.kind === 'media'));
  expect(Object.getPrototypeOf(media.tag.data)).toBe(Uint8Array.prototype);
  expect(media.tag.data.buffer.byteLength).toBe(media.tag.data.length);
});

test.each([
  ['a frame that is too long', hex('ffffffff 00')],
  ['a frame without a header', hex('00000001 00')],
  ['an unknown kind', hex('00000005 63 00000000')],
  ['a body that is not JSON', hex('00000006 02 00000000 2a')],
  ['a body of the wrong shape', Buffer.concat([hex('00000007 02 00000000'), Buffer.from('{}')])],
])('reports %s once and reads nothing more', async (_name, bytes) => {
  const { stream, found, violations } = receiver();
  stream.write(bytes);
  stream.write(encodeFrame(frames[0]));
  await eventually('the violation', () => violations.length > 0);
  expect(violations).toHaveLength(1);
  expect(found).toEqual([]);
});

test('says stop when too much waits, and go on when it has left', () => {
  const held: (() => void)[] = [];
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void held.push(done) });
  let drains = 0;
  const events = { onFrame: () => undefined, onViolation: () => undefined, onDrain: () => (drains += 1) };
  const pipe = new PacketPipe(stream, events);
  const data = new Uint8Array(1_000_000);
  const send = (): boolean =>
    pipe.send({ kind: 'media', session: 1, tag: { type: 9, timestamp: 0, data }, arrivalTime: microseconds(0) });
  let sent = data.length;
  while (send()) {
    sent += data.length;
  }
  expect(sent).toBeGreaterThan(HIGH_WATER_BYTES - data.length);
  expect(sent).toBeLessThan(HIGH_WATER_BYTES + 2 * data.length);
  expect(pipe.isCongested).toBe(true);
  return eventually('the drain', () => {
    held.splice(0).forEach((done) => done());
    return drains === 1 && !pipe.isCongested;
  });
});
