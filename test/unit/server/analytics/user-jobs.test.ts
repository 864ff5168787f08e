// Jobs that users add: the four of examples/jobs over four partitions, their partial aggregates through shuffle.v1. The results are
// what plain arithmetic over the recorded events gives, whoever is killed on the way.

import { beforeAll, describe, expect, test } from '@jest/globals';
import { job as codecBitrate } from '../../../../examples/jobs/codec-bitrate.ts';
import { job as sensorMeans } from '../../../../examples/jobs/sensor-means.ts';
import { job as topStreams } from '../../../../examples/jobs/top-streams.ts';
import { job as wordCount } from '../../../../examples/jobs/word-count.ts';
import { JOB_TOPICS, loadStreamJobs } from '../../../../server/analytics/stream-job.ts';
import { verifyReplay } from '../../../../server/analytics/verify-replay.ts';
import { WindowRunner } from '../../../../server/analytics/window-runner.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../../../server/telemetry/reporter.ts';
import type { EventRecord } from '../../../../shared/telemetry/event-codec.ts';
import type { LogRecord, TelemetryLog } from '../../../../server/telemetry/telemetry-log.ts';
import type { Topic } from '../../../../shared/telemetry/topics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { KillableLog, pause } from '../../../support/killable-log.ts';
import { StreamFeed } from '../../../support/telemetry-feed.ts';

const jobs = [topStreams, codecBitrate, wordCount, sensorMeans];
const STREAMS = ['a', 'b', 'c', 'd'];
const STEP_MS = 250;

/** What was appended at each step of half a minute: four streams with viewers, chat and two sensors that move among the streams. */
async function recording(): Promise<{ topic: Topic; record: LogRecord }[][]> {
  const clock = new FakeClock();
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  const steps: { topic: Topic; record: LogRecord }[][] = [];
  const append = log.append.bind(log);
  log.append = (topic, records) => {
    steps.at(-1)!.push(...records.map((record) => ({ topic, record })));
    return append(topic, records);
  };
  steps.push([]);
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1' });
  STREAMS.forEach((stream) => new StreamFeed(clock, reporter, stream));
  for (let step = 0; step < 120; step++) {
    const ts = clock.epochMs();
    const stream = STREAMS[step % 4];
    const said = ['Goal goal!', 'what a goal', "it's raining"][step % 3];
    reporter.report({ type: 'chat', topic: 'data', stream, ts, key: `user-${step % 7}`, value: said });
    reporter.report({ type: 'reading', topic: 'data', stream, ts, key: `sensor-${step % 2}`, value: step / 3 });
    const counts = { sentUnits: 1, sentBytes: 1, droppedUnits: 0, viewers: (step * 7) % 50 };
    reporter.report({ type: 'delivery', topic: 'viewer', stream, ts, track: 'source', intervalMs: 1000, ...counts });
    steps.push([]);
    for (let i = 0; i < STEP_MS / 50; i++) {
      clock.advance(50);
      await pause();
    }
  }
  await reporter.close(100);
  return steps;
}

type Row = { job: string; stream: string; start: number; end: number; value: unknown };

/** Plays the steps in their own time; owners live for so many appends each. */
async function playOnLog(
  steps: { topic: Topic; record: LogRecord }[][],
  kills: readonly number[],
): Promise<MemoryTelemetryLog> {
  const clock = new FakeClock();
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  let lives = 0;
  const begin = async (): Promise<{ own: KillableLog; runner: WindowRunner }> => {
    const own = new KillableLog(log, clock);
    const runner = new WindowRunner({
      log: own,
      clock,
      logger: silentLogger,
      owner: `o${lives}`,
      checkpointEveryMs: 1000,
      jobs,
    });
    await runner.start();
    own.killAfter(kills[lives++] ?? Infinity);
    return { own, runner };
  };
  let owner = await begin();
  const quietSteps = Array.from({ length: 70 }, () => []);
  for (const step of [...steps, ...quietSteps]) {
    for (const topic of JOB_TOPICS) {
      await log.append(
        topic,
        step.filter((each) => each.topic === topic).map(({ record }) => record),
      );
    }
    clock.advance(STEP_MS);
    for (let i = 0; i < 12; i++) {
      await pause();
    }
    if (owner.own.hasDied) {
      await owner.own.bury();
      owner = await begin();
    }
  }
  owner.own.killAfter(Infinity);
  await owner.runner.close();
  expect(lives).toBe(kills.length + 1);
  return log;
}

/** Every window of the jobs that comes of the steps, once. */
async function play(steps: { topic: Topic; record: LogRecord }[][], kills: readonly number[]): Promise<string[]> {
  const log = await playOnLog(steps, kills);
  const names = new Set(jobs.map(({ job }) => job.name));
  const values: string[] = [];
  for (let partition = 0; partition < log.partitions(); partition++) {
    for (const { value } of await log.read({ topic: 'windows', partition }, 0, 1_000_000)) {
      if (names.has((JSON.parse(value!) as Row).job)) {
        values.push(value!);
      }
    }
  }
  return [...new Set(values)].sort();
}

const events = (steps: { topic: Topic; record: LogRecord }[][]): EventRecord[] =>
  steps.flat().map(({ record }) => JSON.parse(record.value!) as EventRecord);

describe("users' jobs", () => {
  let steps: { topic: Topic; record: LogRecord }[][];
  let undisturbed: string[];
  beforeAll(async () => {
    steps = await recording();
    undisturbed = await play(steps, []);
  }, 60_000);

  test('give what plain arithmetic over the events gives', () => {
    const rows = undisturbed.map((value) => JSON.parse(value) as Row);
    const of = (name: string): Row[] => rows.filter(({ job }) => job === name);
    const within = ({ start, end }: Row) => events(steps).filter(({ ts }) => ts >= start && ts < end);
    expect(of('sensor-means').length).toBeGreaterThanOrEqual(6);
    for (const row of of('sensor-means')) {
      const values = within(row)
        .filter((event) => event.type === 'reading' && 'key' in event && event.key === row.stream)
        .map((event) => (event as unknown as { value: number }).value);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(row.value).toMatchObject({ readings: values.length, mean: expect.closeTo(mean, 9) });
    }
    expect(of('word-count').length).toBeGreaterThanOrEqual(12);
    for (const row of of('word-count')) {
      const said = within(row)
        .filter((event) => event.type === 'chat' && event.stream === row.stream)
        .map((event) => (event as unknown as { value: string }).value.toLowerCase());
      const goals = said.join(' ').split('goal').length - 1;
      const counted = (row.value as { value: string; count: number }[]).find(({ value }) => value === 'goal');
      expect(counted?.count ?? 0).toBe(goals);
    }
    for (const row of of('top-streams')) {
      const newest = new Map<string, number>();
      for (const event of within(row)) {
        if (event.type === 'delivery' && 'viewers' in event) {
          newest.set(event.stream, event.viewers);
        }
      }
      const expected = [...newest].map(([stream, viewers]) => ({ stream, viewers }));
      expect(row.value).toEqual(expected.sort((a, b) => b.viewers - a.viewers || (a.stream < b.stream ? -1 : 1)));
    }
    expect(of('top-streams').map(({ stream }) => stream)).toEqual(of('top-streams').map(() => 'all'));
    // Frames carry their own times: their sum over the whole minute must be there, none lost and none twice.
    const bytes = events(steps).flatMap((event) => (event.type === 'frames' && 'bytes' in event ? event.bytes : []));
    const total = bytes.reduce((sum, size) => sum + size, 0);
    const kilobits = of('codec-bitrate').reduce((sum, row) => sum + (row.value as number) * 10, 0);
    expect(kilobits).toBeCloseTo((total * 8) / 1000, 0);
  });

  test.each([[[9]], [[40, 3]], [[1, 60, 25]]])(
    'give the same bytes when owners live %j appends',
    async (kills) => {
      expect(await play(steps, kills)).toEqual(undisturbed);
    },
    60_000,
  );

  describe('under verify-replay', () => {
    const everything = { from: 0, to: Infinity };
    const verify = (log: TelemetryLog) => verifyReplay(log, JOB_TOPICS, everything, jobs);
    /** Changes the first stored value of `topic` in which `pattern` is found. */
    const alter = async (log: TelemetryLog, topic: Topic, pattern: RegExp, into: string): Promise<void> => {
      for (let partition = 0; partition < log.partitions(topic); partition++) {
        const records = (await log.read({ topic, partition }, 0, 1_000_000)) as unknown as { value: string }[];
        const victim = records.find(({ value }) => pattern.test(value));
        if (victim !== undefined) {
          victim.value = victim.value.replace(pattern, into);
          return;
        }
      }
      throw new Error(`${topic} has nothing like ${pattern}`);
    };

    test.each([[[]], [[40, 3]]])(
      'come out again byte for byte when owners live %j appends',
      async (kills) => {
        const log = await playOnLog(steps, kills);
        const report = await verify(log);
        expect(report.differences).toEqual([]);
        expect(report.unknownJobs).toEqual([]);
        const product = await verifyReplay(log, JOB_TOPICS, everything);
        expect(product.unknownJobs).toEqual(['codec-bitrate', 'sensor-means', 'top-streams', 'word-count']);
        expect(report.compared - product.compared).toBe(undisturbed.length);
      },
      60_000,
    );

    test.each<[Topic, RegExp, string]>([
      ['windows', /("job":"sensor-means".*"readings":)\d/, '$19'],
      ['shuffle', /("job":"word-count".*?)goal/, '$1gaol'],
      ['data', /(.*"type":"chat".*)Goal goal!/, '$1Goal gaol!'],
    ])(
      'one altered record of %s shows',
      async (topic, pattern, into) => {
        const log = await playOnLog(steps, []);
        await alter(log, topic, pattern, into);
        const { differences } = await verify(log);
        expect(differences.length).toBeGreaterThan(0);
        expect(new Set(differences.map(({ job }) => job)).size).toBeLessThanOrEqual(2);
      },
      60_000,
    );
  });
});

test.each([
  ['examples/jobs/none.ts', /cannot be loaded/],
  ['examples/sliding-window/sliding-window.ts', /exports no `job`/],
])('a job module that does not fit is named: %s', async (path, sentence) => {
  await expect(loadStreamJobs([path])).rejects.toThrow(sentence);
});

test('two jobs of one name are refused', async () => {
  const path = 'examples/jobs/word-count.ts';
  await expect(loadStreamJobs([path, path])).rejects.toThrow(/Two job modules have the name word-count/);
});
