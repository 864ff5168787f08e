// The reporter: numbers without gaps, batches, a bounded queue whose losses are told, retries that change nothing.

import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../../../server/telemetry/reporter.ts';
import type { LogRecord } from '../../../../server/telemetry/telemetry-log.ts';
import { decodeEvent, type EventRecord } from '../../../../shared/telemetry/event-codec.ts';
import type { DataEvent, SessionEvent } from '../../../../shared/telemetry/events.ts';
import type { Topic } from '../../../../shared/telemetry/topics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const data = (stream: string, value: number, ts = 1): DataEvent => ({
  type: 'meter',
  topic: 'data',
  stream,
  ts,
  key: 'k',
  value,
});
const session = (stream: string, type: SessionEvent['type']): SessionEvent => ({
  type,
  topic: 'session',
  stream,
  ts: 1,
  session: 's',
});

/** A log that can be made to fail or to hang. */
class FlakyLog extends MemoryTelemetryLog {
  failures = 0;
  calls = 0;
  hang: Promise<void> | null = null;

  override async append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    this.calls++;
    await this.hang;
    if (this.failures > 0) {
      this.failures--;
      throw new Error('away');
    }
    await super.append(topic, records);
  }

  async events(topic: Topic): Promise<EventRecord[]> {
    return (await this.read({ topic, partition: 0 }, 0, 100_000)).map(({ value }) => {
      const decoded = decodeEvent(value ?? '');
      if (decoded.kind === 'bad') {
        throw new Error(decoded.reason);
      }
      return decoded.event;
    });
  }
}

function setUp(maxQueuedBytes?: number) {
  const clock = new FakeClock();
  const log = new FlakyLog({ clock, logger: silentLogger, partitions: 1 });
  const options = maxQueuedBytes === undefined ? {} : { maxQueuedBytes };
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1', ...options });
  const settle = async (ms = 100): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      clock.advance(ms / 20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, log, reporter, settle };
}

describe('the reporter', () => {
  test('numbers events per stream and topic without gaps, and names node and boot', async () => {
    const { clock, log, reporter, settle } = setUp();
    const boot = Math.floor(clock.epochMs());
    reporter.report(data('a', 1));
    reporter.report(data('b', 1));
    reporter.report(data('a', 2));
    reporter.report(session('a', 'view-start'));
    await settle();
    const events = await log.events('data');
    expect(events.map(({ stream, seq, node }) => [stream, seq, node])).toEqual([
      ['a', 0, 'n1'],
      ['b', 0, 'n1'],
      ['a', 1, 'n1'],
    ]);
    expect(events[0]).toMatchObject({ v: 1, boot, at: boot });
    expect((await log.events('session'))[0]).toMatchObject({ seq: 0, type: 'view-start' });
    const [stored] = await log.read({ topic: 'data', partition: 0 }, 0, 1);
    expect(stored?.headers).toEqual({
      ce_type: 'tessera.data.meter',
      ce_source: '/tessera/n1',
      ce_id: `n1/${boot}/a/data/0`,
    });
  });

  test('appends many events in one batch', async () => {
    const { log, reporter, settle } = setUp();
    for (let i = 0; i < 500; i++) {
      reporter.report(data('a', i));
    }
    await settle();
    expect(log.calls).toBe(1);
    expect(reporter.counters()).toMatchObject({ reported: 500, acknowledged: 500, queuedBytes: 0 });
  });

  test('keeps the order through failures and loses nothing', async () => {
    const { log, reporter, settle } = setUp();
    log.failures = 3;
    for (let i = 0; i < 10; i++) {
      reporter.report(data('a', i));
      await settle(20);
    }
    await settle(10_000);
    const own = (await log.events('data')).filter(({ type }) => type === 'meter');
    expect(own.map((event) => (event as DataEvent).value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(reporter.counters().failedAppends).toBe(3);
  });

  test('never waits: a hanging log fills the queue, what is dropped is counted and told in a gap', async () => {
    const { log, reporter, settle } = setUp(20_000);
    let release = (): void => undefined;
    log.hang = new Promise((resolve) => (release = resolve));
    for (let i = 0; i < 200; i++) {
      reporter.report(data('a', i));
    }
    reporter.report(session('a', 'refused')); // may use what is kept for sessions
    const { dropped, queuedBytes, openGaps } = reporter.counters();
    expect(dropped.data).toBeGreaterThan(100);
    expect(dropped.session).toBe(0);
    expect(openGaps).toBe(dropped.data);
    expect(queuedBytes).toBeLessThan(26_000);
    log.hang = null;
    release();
    await settle();
    reporter.report(data('a', 1000));
    await settle();
    const events = (await log.events('data')).filter(({ type }) => type !== 'tick');
    const gap = events.find(({ type }) => type === 'gap');
    expect(gap).toMatchObject({ dropped: dropped.data, fromSeq: 200 - dropped.data, seq: 199 });
    expect(events.at(-1)).toMatchObject({ value: 1000, seq: 200 });
    let next = 0;
    for (const event of events) {
      expect((event as { fromSeq?: number }).fromSeq ?? event.seq).toBe(next);
      next = event.seq + 1;
    }
  });

  test('ticks once a second for a live stream in the topics that it uses, and says when it is over', async () => {
    const { log, reporter, settle } = setUp();
    reporter.report(session('a', 'publish-start'));
    reporter.report(data('a', 1));
    await settle(3500);
    const ticks = (await log.events('data')).filter(({ type }) => type === 'tick');
    expect(ticks).toHaveLength(3);
    reporter.report(session('a', 'stream-end'));
    await settle(15_000);
    const last = (await log.events('data')).at(-1);
    expect(last).toMatchObject({ type: 'tick', isLast: true });
    expect(await log.events('ingest')).toEqual([]);
  });

  test('closing appends what waits and tells open gaps', async () => {
    const { log, reporter } = setUp(2000);
    for (let i = 0; i < 50; i++) {
      reporter.report(data('a', i));
    }
    await reporter.close(1000);
    const events = await log.events('data');
    expect(events.at(-1)).toMatchObject({ type: 'gap', seq: 49 });
    reporter.report(data('a', 51));
    expect(reporter.counters().queuedBytes).toBe(0);
  });
});

describe('the event codec', () => {
  const good = { v: 1, node: 'n', boot: 1, seq: 0, at: 1, ...data('a', 1) };

  test('reads what it wrote', () => {
    expect(decodeEvent(JSON.stringify(good))).toEqual({ kind: 'event', event: good });
  });

  test.each([
    ['nonsense', /not JSON/],
    ['null', /envelope/],
    [JSON.stringify({ ...good, v: 2 }), /version 2/],
    [JSON.stringify({ ...good, seq: -1 }), /seq/],
    [JSON.stringify({ ...good, topic: 'nowhere' }), /event/],
    [JSON.stringify({ ...good, ts: 'soon' }), /event/],
    [JSON.stringify({ ...good, key: 'x'.repeat(10_000_000) }), /event/],
  ])('says why a record is bad', (value, reason) => {
    expect(decodeEvent(value)).toMatchObject({ kind: 'bad', reason: expect.stringMatching(reason) });
  });
});
