// Records as they should not be, mixed into good ones on any log: each goes to the dead-letter topic with a reason or is counted as
// late or twice, and the windows are the same bytes as without them.

import { expect } from '@jest/globals';
import { makeMachine } from '../../server/analytics/machine-host.ts';
import { JOB_TOPICS, streamJob, type AnyStreamJob } from '../../server/analytics/stream-job.ts';
import { WindowRunner } from '../../server/analytics/window-runner.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { silentLogger } from '../../server/platform/logger.ts';
import { MemoryTelemetryLog } from '../../server/telemetry/memory-telemetry-log.ts';
import { partitionOf } from '../../server/telemetry/partition.ts';
import { LogReporter } from '../../server/telemetry/reporter.ts';
import type { LogRecord, StoredRecord, TelemetryLog } from '../../server/telemetry/telemetry-log.ts';
import { countOf } from '../../shared/windows/aggregates/numbers.ts';
import { tumbling } from '../../shared/windows/window.ts';
import type { Topic } from '../../shared/telemetry/topics.ts';
import { eventually } from './eventually.ts';
import { FakeClock } from './fake-clock.ts';
import { pause } from './killable-log.ts';
import { StreamFeed } from './telemetry-feed.ts';

const POISON = 'poison';

/** A user's job with a bug. */
const buggy: AnyStreamJob = streamJob({
  topic: 'data',
  job: {
    name: 'buggy',
    map: (event, emit) => {
      if ('value' in event && event.value === POISON) {
        throw new Error('this one I cannot take');
      }
      emit(event.stream, 1, event.ts);
    },
    window: tumbling(10_000),
    reduce: countOf,
  },
});

type Entry = { readonly topic: Topic; readonly record: LogRecord };

/** Twenty seconds of three streams with readings. */
async function goodRecords(): Promise<Entry[]> {
  const clock = new FakeClock(Date.now() - 60_000); // of now, or a broker's retention takes it
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  const entries: Entry[] = [];
  const append = log.append.bind(log);
  log.append = (topic, records) => {
    if (JOB_TOPICS.some((each) => each === topic)) {
      entries.push(...records.map((record) => ({ topic, record })));
    }
    return append(topic, records);
  };
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1' });
  ['a', 'b', 'c'].forEach((stream) => new StreamFeed(clock, reporter, stream));
  for (let i = 0; i < 200; i++) {
    const ts = clock.epochMs();
    reporter.report({ type: 'reading', topic: 'data', stream: 'a', ts, key: 'meter', value: i });
    clock.advance(100);
    await pause();
  }
  await reporter.close(100);
  return entries;
}

function badRecords(good: readonly Entry[], bigBytes: number): { bad: Entry[]; reasons: RegExp[]; duplicates: number } {
  const inData = good.filter(({ topic }) => topic === 'data');
  const sample = inData[Math.floor(inData.length / 2)]!.record;
  const event = JSON.parse(sample.value!) as Record<string, unknown> & { at: number; seq: number };
  const changed = (changes: object): string => JSON.stringify({ ...event, ...changes });
  const big = 'k'.repeat(bigBytes);
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  const values: [value: string, reason: RegExp][] = [
    ['{"v":1,', /^not JSON$/],
    ['', /^not JSON$/],
    ['[]', /^envelope/],
    [changed({ v: 2 }), /^version 2 is not 1$/],
    [changed({ v: '1' }), /^version "1" is not 1$/],
    [changed({ key: undefined }), /^event/],
    [changed({ stream: 'b' }), /topic or stream/],
    [changed({ topic: 'ingest', type: 'tick' }), /topic or stream/],
    [changed({ node: 'x', ts: 0 }), /^the time 0 is more than a day/],
    [changed({ node: 'x', ts: 4_102_444_800_000 }), /^the time 4102444800000 is more than a day/],
    [changed({ node: 'x', at: 1e300 }), /more than a day/],
    [changed({ node: 'x', ts: 1e300 }), /^event/],
    [changed({ node: 'x', key: big }), /^event/],
    [changed({ node: 'x', value: null }).replace('"value":null', `"value":${deep}`), /^event/],
    [changed({ node: 'x', seq: -1 }), /^envelope/],
    [changed({ node: 'poisoned', stream: sample.key, value: POISON, ts: 1, at: 2 }), /^job buggy cannot map it/],
  ];
  // Brokers refuse records of the far future, and with them the whole request: the log must not pass that on.
  const entry = (value: string, key = sample.key): Entry => {
    const timestamp = value.includes('"ts":4102444800000') ? 4_102_444_800_000 : 1;
    return { topic: 'data', record: { key, value, timestamp } };
  };
  // The same number again, with the same and with another content, and numbers that go back.
  const again = [
    sample.value!,
    changed({ value: -1 }),
    changed({ seq: 0 }),
    changed({ seq: Math.floor(event.seq / 2) }),
  ];
  return {
    bad: [
      ...values.map(([value]) => entry(value)),
      entry(changed({ node: 'x', stream: big }), big),
      ...again.map((value) => entry(value)),
    ],
    reasons: [...values.map(([, reason]) => reason), /no valid name/],
    duplicates: again.length,
  };
}

/** Runs the window jobs over good and bad records on `log`, whose topics are empty. `bigBytes`: length of the largest key. */
export async function expectBadRecordsToAlterNothing(log: TelemetryLog, bigBytes: number): Promise<void> {
  const good = await goodRecords();
  const { bad, reasons, duplicates } = badRecords(good, bigBytes);
  const at = Math.floor(good.length * 0.6);
  const mixed = [...good.slice(0, at), ...bad, ...good.slice(at)];
  const append = async (entries: readonly Entry[]): Promise<void> => {
    for (const topic of JOB_TOPICS) {
      await log.append(
        topic,
        entries.filter((entry) => entry.topic === topic).map(({ record }) => record),
      );
    }
  };
  const runner = new WindowRunner({ log, clock: systemClock, logger: silentLogger, owner: 'o', jobs: [buggy] });
  await runner.start();
  await append(mixed.slice(0, at));
  await append(bad);
  await append(good.slice(at));
  const all = async (topic: Topic): Promise<StoredRecord[]> => {
    const found: StoredRecord[] = [];
    for (let partition = 0; partition < log.partitions(topic); partition++) {
      found.push(...(await log.read({ topic, partition }, 0, 100_000)));
    }
    return found;
  };
  const expected = new Set<string>();
  for (const topic of JOB_TOPICS) {
    const partitions = log.partitions(topic);
    for (let partition = 0; partition < partitions; partition++) {
      const own = good.filter(
        (entry) => entry.topic === topic && partitionOf(entry.record.key, partitions) === partition,
      );
      const machine = makeMachine({ topic, partition }, [], () => partitions);
      machine
        .process(own.map(({ record }, offset) => ({ ...record, partition, offset })))
        .windows.forEach(({ value }) => expected.add(value!));
    }
  }
  const product = async (): Promise<Set<string>> =>
    new Set((await all('windows')).map(({ value }) => value!).filter((value) => !value.includes('"job":"buggy"')));
  const isDone = async (): Promise<boolean> =>
    runner.counters().bad >= reasons.length && (await product()).size >= expected.size;
  await eventually('every window', isDone, 90_000, 200);
  expect(await product()).toEqual(expected);
  expect(expected.size).toBeGreaterThan(60);
  expect(runner.counters()).toMatchObject({ bad: reasons.length, duplicates });
  await runner.close();

  const dead = (await all('dlq')).map(({ value }) => JSON.parse(value!) as { reason: string; value: string });
  expect(dead).toHaveLength(reasons.length);
  for (const reason of reasons) {
    expect(dead.map((letter) => letter.reason)).toContainEqual(expect.stringMatching(reason));
  }
  expect(Math.max(...dead.map(({ value }) => value.length))).toBeLessThanOrEqual(4096);
}
