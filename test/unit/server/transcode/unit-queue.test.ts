import { describe, expect, test } from '@jest/globals';
import { UnitQueue, type QueuedUnit } from '../../../../server/transcode/unit-queue.ts';
import { microseconds } from '../../../../shared/media/time.ts';

let clock = 0;
function queued(name: string, bytes = 1): QueuedUnit {
  clock += 10;
  const priority = name.startsWith('K') ? 'key' : 'reference';
  const time = microseconds(clock * 1000);
  const data = new Uint8Array(bytes).fill(name.charCodeAt(1));
  return {
    unit: { priority, pts: time, dts: time, data, arrivalTime: time },
    group: 0,
    isCatchUp: false,
    queuedAt: clock,
  };
}

const names = (queue: UnitQueue): string => {
  let all = '';
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    all += ` ${next.unit.priority === 'key' ? 'K' : 'd'}${String.fromCharCode(next.unit.data[0])}`;
  }
  return all.trim();
};

describe('coded units', () => {
  const limits = { maxUnits: 3, maxBytes: 100, maxAgeMs: 1000 };

  test('pass in order while there is room', () => {
    const queue = new UnitQueue('to-next-key', limits);
    for (const name of ['K0', 'd1', 'd2']) {
      expect(queue.push(queued(name))).toBe(false);
    }
    expect(names(queue)).toBe('K0 d1 d2');
    expect(queue.dropped).toBe(0);
  });

  test('are all dropped on overflow, up to the next key unit, and a key unit is asked for once', () => {
    const queue = new UnitQueue('to-next-key', limits);
    for (const name of ['K0', 'd1', 'd2']) {
      queue.push(queued(name));
    }
    expect(queue.push(queued('d3'))).toBe(true);
    expect(queue.push(queued('d4'))).toBe(false);
    expect(queue.push(queued('K5'))).toBe(false);
    expect(queue.push(queued('d6'))).toBe(false);
    expect(names(queue)).toBe('K5 d6');
    expect(queue.dropped).toBe(5);
  });

  test('make room for a key unit that arrives at a full queue', () => {
    const queue = new UnitQueue('to-next-key', limits);
    for (const name of ['K0', 'd1', 'd2', 'K3']) {
      queue.push(queued(name));
    }
    expect(names(queue)).toBe('K3');
    expect(queue.dropped).toBe(3);
  });

  test('count against the bounds of bytes and age too', () => {
    const byBytes = new UnitQueue('to-next-key', limits);
    byBytes.push(queued('K0', 60));
    expect(byBytes.push(queued('d1', 60))).toBe(true);
    const byAge = new UnitQueue('to-next-key', limits);
    byAge.push(queued('K0'));
    clock += 2000;
    expect(byAge.push(queued('d1'))).toBe(true);
  });
});

describe('raw pictures', () => {
  test('give way oldest first', () => {
    const queue = new UnitQueue('oldest-picture', { maxUnits: 2, maxBytes: 100, maxAgeMs: 1000 });
    for (const name of ['K0', 'K1', 'K2', 'K3']) {
      expect(queue.push(queued(name, 10))).toBe(false);
    }
    expect(names(queue)).toBe('K2 K3');
    expect(queue.dropped).toBe(2);
  });
});
