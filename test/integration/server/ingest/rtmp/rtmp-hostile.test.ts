// Everything that kills or poisons an unguarded node-media-server, against the guarded one: the attacker is refused and counted once,
// a good publisher beside it loses no picture, the process stays the same and small.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseRtmpAddress, RtmpClient } from '../../../../../server/cli/clients/rtmp-client.ts';
import { RtmpIngest } from '../../../../../server/ingest/rtmp/rtmp-ingest.ts';
import type { RtmpIngestEvent } from '../../../../../server/ingest/rtmp/rtmp-ingest.ts';
import { describeVideo } from '../../../../../server/ingest/video-description/video-description.ts';
import { amf0Object, writeAmf0 } from '../../../../../shared/containers/flv/amf0.ts';
import { eventually } from '../../../../support/eventually.ts';
import { avcPicture, avcSequenceHeader, pictureIndex } from '../../../../support/flv-synthesis.ts';
import { concat, hex } from '../../../../support/hex.ts';
import { RecordingAdmission } from '../../../../support/recording-admission.ts';
import type { RecordedPublisher } from '../../../../support/recording-admission.ts';
import { attacks, connected, opened } from '../../../../support/rtmp-attacks.ts';
import { RtmpProbe } from '../../../../support/rtmp-probe.ts';

const MB = 1024 * 1024;
/** design.md: hostile traffic makes resident memory grow by at most this. */
const GROWTH_LIMIT_BYTES = 150 * MB;

const admission = new RecordingAdmission({ keys: ['good'] });
const events: RtmpIngestEvent[] = [];
const ingest = new RtmpIngest({
  host: '127.0.0.1',
  port: 0,
  admission,
  describeVideo,
  limits: { handshakeMs: 700, idleMs: 1500 },
  onEvent: (event) => events.push(event),
});
let port = 0;
let good: RtmpClient;
let pushing: NodeJS.Timeout;
let pushed = 0;
let startPid: number | null = null;
let startRss = 0;

function goodPublisher(): RecordedPublisher {
  const publisher = admission.publishers[0];
  if (publisher === undefined) {
    throw new Error('The good publisher is missing.');
  }
  return publisher;
}

beforeAll(async () => {
  port = await ingest.start();
  good = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/good?key=good`));
  await good.send(avcSequenceHeader());
  pushing = setInterval(() => void good.send(avcPicture(pushed++)), 20);
  startPid = ingest.status.pid;
  startRss = await eventually('the first figures', () => ingest.status.rssBytes || null);
});

afterAll(async () => {
  clearInterval(pushing);
  good.destroy();
  await ingest.stop();
});

/** What the events since `mark` say about connections and publishers that are not the good one. */
function countsSince(mark: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of events.slice(mark)) {
    if (event.kind === 'dropped' || event.kind === 'turned-away' || event.kind === 'refused') {
      const name = `${event.kind} ${event.code ?? ''}`.trim();
      counts[name] = (counts[name] ?? 0) + ('count' in event ? event.count : 1);
    }
  }
  return counts;
}

/** The good publisher's pictures have all arrived up to now, in order, from the process that we started with. */
async function expectNobodyHurt(): Promise<void> {
  const sent = pushed;
  const publisher = goodPublisher();
  await eventually('the good publisher to go on', () => publisher.units.length > sent);
  expect(publisher.unitsOf('video').map(({ data }) => pictureIndex(data))).toEqual(
    Array.from({ length: publisher.units.length }, (_, i) => i),
  );
  expect(publisher.end).toBeNull();
  expect(ingest.status.pid).toBe(startPid);
  expect(events.filter(({ kind }) => kind === 'restarted')).toEqual([]);
}

test.each(attacks)('survives %s', async (_name, open, attack, code) => {
  const mark = events.length;
  const probe = await open(port);
  attack(probe);
  await probe.closed();
  await eventually('the count', () => Object.keys(countsSince(mark)).length > 0);
  expect(countsSince(mark)).toEqual({ [`dropped ${code}`]: 1 });
  await expectNobodyHurt();
});

test.each([
  ['a half-open connection that says nothing', opened, () => undefined],
  ['a handshake that stops in the middle', opened, (probe: RtmpProbe) => probe.write(Buffer.of(3, 0, 0, 0))],
  ['a connection that never publishes', connected, () => undefined],
])('drops %s after its time', async (_name, open, attack) => {
  const mark = events.length;
  const probe = await open(port);
  attack(probe);
  await probe.closed();
  await eventually('the count', () => Object.keys(countsSince(mark)).length > 0);
  expect(countsSince(mark)).toEqual({ 'dropped timeout': 1 });
  await expectNobodyHurt();
});

test('takes no media from a publisher that was refused', async () => {
  const mark = events.length;
  const probe = await RtmpProbe.connected(port);
  probe.command(1, ['publish', 3, null, 'good?key=wrong', 'live']);
  for (let i = 0; i < 20; i++) {
    probe.message(9, avcPicture(1000 + i).data);
  }
  await probe.closed();
  expect(probe.lastStatus()).toBe('NetStream.Publish.BadName wrong-key: The key does not fit the stream.');
  await eventually('the count', () => Object.keys(countsSince(mark)).length > 0);
  expect(countsSince(mark)).toEqual({ 'refused wrong-key': 1 });
  await expectNobodyHurt();
});

test('takes no media from a second publisher with the right key', async () => {
  const probe = await RtmpProbe.connected(port);
  probe.command(1, ['publish', 3, null, 'good?key=good', 'live']);
  probe.message(9, avcPicture(2000).data);
  await probe.closed();
  expect(probe.lastStatus()).toBe('NetStream.Publish.BadName busy: The stream has a publisher.');
  await expectNobodyHurt();
});

test('counts each of 200 wrong keys at full rate once', async () => {
  const mark = events.length;
  const attempt = async (): Promise<void> => {
    const address = parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/good?key=wrong`);
    await expect(RtmpClient.publish(address)).rejects.toMatchObject({ code: 'wrong-key' });
  };
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, attempt));
  }
  await eventually('the counts', () => (countsSince(mark)['refused wrong-key'] ?? 0) >= 200);
  expect(countsSince(mark)).toEqual({ 'refused wrong-key': 200 });
  await expectNobodyHurt();
});

test('turns away connections beyond the cap of one address, and accepts again when they are gone', async () => {
  const mark = events.length;
  await eventually('earlier connections to be gone', () => ingest.status.connections === 1);
  const probes = await Promise.all(Array.from({ length: 80 }, () => RtmpProbe.open(port)));
  await eventually('the counts', () => (countsSince(mark)['turned-away limit'] ?? 0) >= 17);
  expect(countsSince(mark)['turned-away limit']).toBe(17); // 64 with the good publisher
  probes.forEach((probe) => probe.destroy());
  await eventually('connections to be gone', () => ingest.status.connections === 1);
  const probe = await RtmpProbe.connected(port);
  probe.destroy();
  await expectNobodyHurt();
});

test('keeps its memory when 60 connections send as much as they may', async () => {
  const big = concat(
    ...Array.from({ length: 3 }, (_, i) =>
      concat(Uint8Array.of(3 + i), hex('000000 00fff0 14 00000000'), new Uint8Array(128)),
    ),
  );
  const probes = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const probe = await RtmpProbe.greeted(port);
      probe.write(big);
      return probe;
    }),
  );
  await Promise.all(probes.map((probe) => probe.closed()));
  await expectNobodyHurt();
  const peak = ingest.status.rssBytes;
  process.stderr.write(
    `rtmp ingest: ${Math.round(startRss / MB)} MB at the start, ${Math.round(peak / MB)} MB under attack\n`,
  );
  expect(peak - startRss).toBeLessThan(GROWTH_LIMIT_BYTES);
});

test('stays alive under seeded random bytes and mutated sessions', async () => {
  let seed = 12345;
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const outcomes: Record<string, number> = {};
  const session = concat(
    writeCommand(['connect', 1, amf0Object({ app: 'live', tcUrl: 'rtmp://127.0.0.1/live' })]),
    writeCommand(['createStream', 2, null]),
    writeCommand(['publish', 3, null, 'good?key=wrong', 'live']),
  );
  for (let round = 0; round < 40; round++) {
    const probes = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const isMutated = i % 2 === 0;
        const probe = isMutated ? await RtmpProbe.greeted(port) : await RtmpProbe.open(port);
        const bytes = isMutated
          ? Uint8Array.from(session, (byte) => (random() < 0.02 ? Math.floor(random() * 256) : byte))
          : Uint8Array.from({ length: 200 }, (__, at) => (at === 0 ? 3 : Math.floor(random() * 256)));
        probe.write(bytes);
        probe.socket.end();
        return probe;
      }),
    );
    for (const probe of probes) {
      await probe.closed();
      const status = probe.lastStatus()?.split(' ').slice(0, 2).join(' ') ?? 'closed without a word';
      outcomes[status] = (outcomes[status] ?? 0) + 1;
    }
  }
  process.stderr.write(`rtmp fuzz: ${JSON.stringify(outcomes)}\n`);
  await expectNobodyHurt();
}, 60_000);

function writeCommand(values: Parameters<typeof writeAmf0>[0]): Uint8Array {
  const payload = writeAmf0(values);
  const header = hex('03 000000 000000 14 00000000');
  new DataView(header.buffer).setUint16(5, payload.length);
  const pieces: Uint8Array[] = [header];
  for (let at = 0; at < payload.length; at += 128) {
    pieces.push(...(at === 0 ? [] : [hex('c3')]), payload.subarray(at, at + 128));
  }
  return concat(...pieces);
}
