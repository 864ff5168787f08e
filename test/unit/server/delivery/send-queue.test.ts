import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Priority } from '../../../../shared/media/access-unit.ts';
import type { Item } from '../../../../server/delivery/item.ts';
import { SendQueue } from '../../../../server/delivery/send-queue.ts';

const MAX_BYTES = 1000;
const MAX_AGE_MS = 3000;

function queue() {
  const drops: string[] = [];
  const sendQueue = new SendQueue({ maxBytes: MAX_BYTES, maxAgeMs: MAX_AGE_MS }, (reason, units) => {
    drops.push(`${reason} ${units}`);
  });
  return { sendQueue, drops };
}

let serial = 0;
const video = (priority: Priority, bytes = 100): Item => ({
  kind: 'video',
  priority,
  bytes: new Uint8Array(bytes).fill(serial++),
});
const audio = (bytes = 10): Item => ({ kind: 'audio', priority: 'key', bytes: new Uint8Array(bytes) });
const names = (items: readonly Item[]): string =>
  items.map((item) => (item.kind === 'video' ? item.priority[0] : item.kind[0])).join('');

test('what fits comes out in order', () => {
  const { sendQueue, drops } = queue();
  for (const item of [video('key'), audio(), video('reference'), video('discardable')]) {
    sendQueue.push(item, 0);
  }
  expect(names(sendQueue.take(150, 0))).toBe('ka');
  expect(names(sendQueue.take(1000, 0))).toBe('rd');
  expect([sendQueue.isEmpty, sendQueue.byteLength, drops]).toEqual([true, 0, []]);
});

test('discardable units go first, and no more of them are taken until the queue has emptied', () => {
  const { sendQueue, drops } = queue();
  for (let index = 0; index < 5; index++) {
    sendQueue.push(video(index === 0 ? 'key' : 'reference'), 0);
    sendQueue.push(video('discardable'), 0);
  }
  sendQueue.push(video('reference'), 0);
  sendQueue.push(video('discardable'), 0);
  expect(drops).toEqual(['discardable 5', 'discardable 1']);
  expect(names(sendQueue.take(9999, 0))).toBe('krrrrr');
  sendQueue.push(video('discardable'), 0);
  expect(names(sendQueue.take(9999, 0))).toBe('d');
});

test('then everything before the newest group goes, audio stays', () => {
  const { sendQueue, drops } = queue();
  for (const item of [
    video('key', 300),
    audio(),
    video('reference', 300),
    video('key', 300),
    video('reference', 200),
  ]) {
    sendQueue.push(item, 0);
  }
  expect(drops).toEqual(['skipped-group 2']);
  expect(names(sendQueue.take(9999, 0))).toBe('akr');
});

test('a group that does not fit is given up, and nothing of it is taken until the next key unit', () => {
  const { sendQueue, drops } = queue();
  sendQueue.push(video('key', 600), 0);
  sendQueue.push(video('reference', 600), 0);
  sendQueue.push(video('reference', 10), 0);
  expect(sendQueue.awaitsKey).toBe(true);
  expect(drops).toEqual(['skipped-group 2', 'skipped-group 1']);
  sendQueue.push(video('key', 10), 0);
  expect(names(sendQueue.take(9999, 0))).toBe('k');
});

test('units older than the bound are skipped although they would fit', () => {
  const { sendQueue, drops } = queue();
  sendQueue.push(video('key'), 0);
  sendQueue.push(video('reference'), 1000);
  sendQueue.push(video('key'), 3001);
  expect(drops).toEqual(['skipped-group 2']);
  expect(names(sendQueue.take(9999, 3001))).toBe('k');
});

test('audio alone is dropped oldest first', () => {
  const { sendQueue, drops } = queue();
  for (let index = 0; index < 105; index++) {
    sendQueue.push(audio(10), 0);
  }
  expect(drops).toHaveLength(5);
  expect(sendQueue.byteLength).toBe(MAX_BYTES);
});

test('the join burst counts against no bound, and control items are never dropped', () => {
  const { sendQueue, drops } = queue();
  sendQueue.pushBurst({ kind: 'control', content: 'track' }, 0);
  sendQueue.pushBurst(video('key', 50_000), 0);
  sendQueue.push(video('reference', 900), 0);
  expect([drops, sendQueue.byteLength]).toEqual([[], 900]);
  sendQueue.push(video('reference', 900), 0);
  expect(names(sendQueue.take(1e6, 0))).toBe('c');
  expect(sendQueue.awaitsKey).toBe(true);
});

test('whatever comes and whenever it is taken, the bounds hold and every group starts with its key unit', () => {
  const step = fc.record({
    item: fc.constantFrom<'k' | 'r' | 'd' | 'a'>('k', 'r', 'd', 'a'),
    bytes: fc.integer({ min: 1, max: 700 }),
    ms: fc.nat(1500),
    takes: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { sendQueue } = queue();
      let now = 0;
      let isDecodable = false;
      let lastGroup = -1;
      let group = -1;
      const groupOf = new Map<Item, number>();
      for (const { item: letter, bytes, ms, takes } of steps) {
        now += ms;
        const item =
          letter === 'a'
            ? audio(bytes)
            : video(letter === 'k' ? 'key' : letter === 'r' ? 'reference' : 'discardable', bytes);
        group += letter === 'k' ? 1 : 0;
        groupOf.set(item, group);
        sendQueue.push(item, now);
        expect(sendQueue.byteLength).toBeLessThanOrEqual(MAX_BYTES);
        for (let index = 0; index < takes && !sendQueue.isEmpty; index++) {
          for (const taken of sendQueue.take(300, now)) {
            if (taken.kind === 'video') {
              const own = groupOf.get(taken) ?? -1;
              isDecodable = taken.priority === 'key' || (isDecodable && own === lastGroup) || group === -1;
              lastGroup = own;
              expect(isDecodable || own === -1).toBe(true);
            }
          }
        }
      }
    }),
    { seed: 6, numRuns: 500 },
  );
});
