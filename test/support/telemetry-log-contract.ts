// What every telemetry log does, whatever is below it. Each driver's suite calls this with a way to open the log; `reopen` opens the
// same stored data again where the driver keeps any.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type {
  LogRecord,
  StoredRecord,
  Subscriber,
  TelemetryLog,
  TopicPartition,
} from '../../server/telemetry/telemetry-log.ts';
import type { Topic } from '../../shared/telemetry/topics.ts';

/** How a driver is opened for the contract. */
export type ContractSubject = {
  readonly open: () => Promise<TelemetryLog>;
  /** Absent where nothing survives a close. */
  readonly reopen?: (() => Promise<TelemetryLog>) | undefined;
  /** Longest that a rebalance may take, ms. */
  readonly patienceMs: number;
  /** Removal of older records of a key may come later than the append (a broker's cleaner). */
  readonly compactsLater?: boolean;
};

/** Resolves when the condition holds; fails after `patienceMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`Did not become true within ${patienceMs} ms: ${condition.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const at = (partition: number, topic: Topic = 'data'): TopicPartition => ({ topic, partition });
/** Records are of now: a broker removes what is older than its topic keeps, the first time half a minute after its start. */
const NOW = Date.now() - 1000;
const record = (key: string, value: unknown, timestamp = NOW): LogRecord => ({
  key,
  value: JSON.stringify(value),
  timestamp,
});
let run = 0;

/** Registers the contract's tests in the current describe block. */
export function telemetryLogContract(subject: ContractSubject): void {
  let log: TelemetryLog;
  let group: string;
  beforeEach(async () => {
    log = await subject.open();
    group = `contract-${process.pid}-${Date.now()}-${run++}`;
  }, 60_000);
  afterEach(async () => {
    await log.close();
  }, 30_000);

  const readAll = async (topic: Topic, from?: ReadonlyMap<number, number>): Promise<StoredRecord[]> => {
    const all: StoredRecord[] = [];
    for (let partition = 0; partition < log.partitions(topic); partition++) {
      let offset = from?.get(partition) ?? 0;
      for (;;) {
        const records = await log.read(at(partition, topic), offset, 100);
        all.push(...records);
        if (records.length === 0) {
          break;
        }
        offset = records.at(-1)!.offset + 1;
      }
    }
    return all;
  };
  const ends = async (topic: Topic): Promise<Map<number, number>> => {
    const found = new Map<number, number>();
    for (let partition = 0; partition < log.partitions(topic); partition++) {
      found.set(partition, (await log.bounds(at(partition, topic))).end);
    }
    return found;
  };
  const collect = (into: StoredRecord[], more: Partial<Subscriber> = {}): Subscriber => ({
    group,
    topics: ['data'],
    onAssigned: (partitions) => Promise.resolve(partitions.map(() => null)),
    onRevoked: () => Promise.resolve(),
    onBatch: (_from, records) => {
      into.push(...records);
      return Promise.resolve();
    },
    ...more,
  });
  const patience = subject.patienceMs;

  test('keeps the order of a key, its time and its headers', async () => {
    const before = await ends('data');
    const headers = { ce_type: 'tessera.data.t', ce_id: 'ä' };
    await log.append('data', [
      record('a', 1, NOW + 5),
      { ...record('a', { ü: 'ß' }, NOW + 6), headers },
      record('a', 3, NOW + 4),
    ]);
    const records = await readAll('data', before);
    expect(records.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['1', NOW + 5],
      ['{"ü":"ß"}', NOW + 6],
      ['3', NOW + 4],
    ]);
    expect(records[1].headers).toMatchObject(headers);
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
  });

  test('gives consecutive offsets and reads from the middle', async () => {
    await log.append(
      'data',
      Array.from({ length: 30 }, (_, i) => record('k', i)),
    );
    const partition = (await readAll('data')).find(({ key }) => key === 'k')!.partition;
    const { earliest, end } = await log.bounds(at(partition));
    const tail = await log.read(at(partition), end - 10, 4);
    expect(tail.map(({ offset }) => offset)).toEqual([end - 10, end - 9, end - 8, end - 7]);
    expect(end - earliest).toBeGreaterThanOrEqual(30);
    expect(await log.read(at(partition), end, 10)).toEqual([]);
  });

  test('spreads keys over the partitions and always finds a key in the same one', async () => {
    const before = await ends('data');
    const keys = Array.from({ length: 60 }, (_, i) => `stream-${i}`);
    await log.append(
      'data',
      keys.map((key) => record(key, 1)),
    );
    await log.append(
      'data',
      keys.map((key) => record(key, 2)),
    );
    const places = new Map<string, Set<number>>();
    for (const { key, partition } of await readAll('data', before)) {
      places.set(key, (places.get(key) ?? new Set()).add(partition));
    }
    expect([...places.values()].every((set) => set.size === 1)).toBe(true);
    const used = new Set([...places.values()].flatMap((set) => [...set]));
    expect(used.size).toBe(log.partitions('data'));
  });

  test('remembers what a group committed', async () => {
    expect(await log.committed(group, at(0))).toBeNull();
    await log.commit(group, at(0), 7);
    expect(await log.committed(group, at(0))).toBe(7);
    expect(await log.committed(`${group}-other`, at(0))).toBeNull();
  }, 60_000);

  test('delivers to a subscriber what was there and what comes, in order', async () => {
    const begin = await ends('data');
    const got: StoredRecord[] = [];
    await log.append('data', [record('x', 1), record('x', 2)]);
    const subscription = await log.subscribe(
      collect(got, {
        onAssigned: (partitions) => Promise.resolve(partitions.map(({ partition }) => begin.get(partition)!)),
      }),
    );
    await eventually(() => got.length === 2, patience);
    for (let i = 3; i <= 6; i++) {
      await log.append('data', [record('x', i)]);
    }
    await eventually(() => got.length === 6, patience);
    expect(got.map(({ value }) => value)).toEqual(['1', '2', '3', '4', '5', '6']);
    await subscription.close();
    await log.append('data', [record('x', 7)]);
    expect(got).toHaveLength(6);
  }, 90_000);

  test('goes on at the committed offset when no other is asked for', async () => {
    await log.append('data', [record('y', 'old')]);
    const { partition } = (await readAll('data')).find(({ key }) => key === 'y')!;
    for (const [each, end] of await ends('data')) {
      await log.commit(group, at(each), end);
    }
    await log.append('data', [record('y', 'new')]);
    const got: StoredRecord[] = [];
    const subscription = await log.subscribe(collect(got));
    await eventually(() => got.length > 0, patience);
    expect(got.map(({ value, partition: where }) => [value, where])).toEqual([['"new"', partition]]);
    await subscription.close();
  }, 90_000);

  test('delivers a batch again when the subscriber failed on it', async () => {
    const begin = await ends('data');
    await log.append('data', [record('z', 1)]);
    const got: StoredRecord[] = [];
    let failures = 1;
    const subscription = await log.subscribe(
      collect(got, {
        onAssigned: (partitions) => Promise.resolve(partitions.map(({ partition }) => begin.get(partition)!)),
        onBatch: (_from, records) => {
          if (failures-- > 0) {
            return Promise.reject(new Error('not this time'));
          }
          got.push(...records);
          return Promise.resolve();
        },
      }),
    );
    await eventually(() => got.length === 1, patience);
    await subscription.close();
  }, 90_000);

  test('shares the partitions among the members of a group and moves them when one leaves', async () => {
    const begin = await ends('data');
    const owners = [new Set<number>(), new Set<number>()];
    const got: StoredRecord[][] = [[], []];
    const member = (i: number): Subscriber =>
      collect(got[i], {
        onAssigned: (partitions) => {
          partitions.forEach(({ partition }) => owners[i].add(partition));
          return Promise.resolve(partitions.map(({ partition }) => begin.get(partition)!));
        },
        onRevoked: (partitions) => {
          partitions.forEach(({ partition }) => owners[i].delete(partition));
          return Promise.resolve();
        },
      });
    const total = log.partitions('data');
    const first = await log.subscribe(member(0));
    await eventually(() => owners[0].size === total, patience);
    const second = await log.subscribe(member(1));
    await eventually(() => owners[0].size + owners[1].size === total && owners[1].size > 0, patience);
    expect(owners[0].size).toBeGreaterThan(0);
    await second.close();
    await eventually(() => owners[0].size === total, patience);
    await first.close();
  }, 120_000);

  test('keeps the newest record of a key in compacted topics', async () => {
    const mine = `${group}-stream`;
    for (let i = 0; i < 5; i++) {
      await log.append('health', [record(mine, i)]);
    }
    const kept = (await readAll('health')).filter(({ key }) => key === mine);
    expect(kept.at(-1)!.value).toBe('4');
    if (subject.compactsLater !== true) {
      expect(kept).toHaveLength(1);
    }
    await log.append('health', [{ key: mine, value: null, timestamp: NOW }]);
    expect((await readAll('health')).filter(({ key }) => key === mine).at(-1)!.value).toBeNull();
  }, 60_000);

  const reopen = subject.reopen;
  if (reopen !== undefined) {
    test('has everything after it was closed and opened again', async () => {
      await log.append('data', [record('kept', 1), record('kept', 2)]);
      await log.commit(group, at(1), 9);
      const before = await ends('data');
      await log.close();
      log = await reopen();
      expect(await ends('data')).toEqual(before);
      expect(await log.committed(group, at(1))).toBe(9);
      const kept = (await readAll('data')).filter(({ key }) => key === 'kept').slice(-2);
      expect(kept.map(({ value }) => value)).toEqual(['1', '2']);
    }, 60_000);
  }
}
