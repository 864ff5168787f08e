import { expect, test } from '@jest/globals';
import { webSocketFraming, type Item } from '../../../../server/delivery/item.ts';
import { Subscriber, type Batch } from '../../../../server/delivery/subscriber.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** A connection that takes nothing until told. */
class SlowOutlet {
  waitingBytes = 0;
  readonly written: Uint8Array[] = [];
  isStuck = false;

  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.written.push(chunk);
      this.waitingBytes += this.isStuck ? chunk.length : 0;
    }
  }
}

const item = (priority: 'key' | 'reference', bytes = 40_000): Item => ({
  kind: 'video',
  priority,
  bytes: new Uint8Array(bytes).fill(priority === 'key' ? 1 : 2),
});
const batch = (...items: Item[]): Batch => ({
  items,
  framed: Buffer.concat(webSocketFraming(items)),
  units: items.length,
});

function subscriber() {
  const outlet = new SlowOutlet();
  const clock = new FakeClock();
  const drops: string[] = [];
  const viewer = new Subscriber({
    outlet,
    framing: webSocketFraming,
    limits: { maxBytes: 200_000, maxAgeMs: 3000 },
    clock,
    onDrop: (reason, units) => void drops.push(`${reason} ${units}`),
  });
  return { outlet, clock, drops, viewer };
}

test('in step, a viewer gets the very buffer that everybody gets', () => {
  const { outlet, viewer } = subscriber();
  const shared = batch(item('key'));
  viewer.offer(shared);
  expect(outlet.written[0]).toBe(shared.framed);
  expect(viewer.tally).toMatchObject({ sentUnits: 1, sentBytes: shared.framed.length, droppedUnits: 0 });
});

test('behind, its units wait, are bounded, and go out on drain from a key unit on', () => {
  const { outlet, drops, viewer } = subscriber();
  outlet.isStuck = true;
  viewer.offer(batch(item('key')));
  viewer.offer(batch(item('reference')));
  const before = outlet.written.length;
  for (let index = 0; index < 6; index++) {
    viewer.offer(batch(item('reference')));
  }
  expect(outlet.written).toHaveLength(before);
  expect(viewer.queuedBytes).toBe(0);
  expect(drops).toEqual(['skipped-group 6']);
  viewer.offer(batch(item('reference')));
  viewer.offer(batch(item('key')));
  outlet.isStuck = false;
  outlet.waitingBytes = 0;
  viewer.pump();
  expect(Buffer.concat(outlet.written.slice(before)).subarray(10, 12)).toEqual(Buffer.of(1, 1));
  viewer.offer(batch(item('reference')));
  expect(viewer.isInStep).toBe(true);
});

test('the join burst goes out ahead of live units, as far as the connection takes it', () => {
  const { outlet, viewer } = subscriber();
  outlet.isStuck = true;
  viewer.startWith([{ kind: 'control', content: 'track' }, item('key'), item('reference'), item('reference')], true);
  const inFlight = outlet.written.length;
  viewer.offer(batch(item('reference', 10)));
  expect(outlet.written).toHaveLength(inFlight);
  outlet.isStuck = false;
  outlet.waitingBytes = 0;
  viewer.pump();
  expect(viewer.tally.sentUnits).toBe(4);
  expect(Buffer.from(outlet.written[0] ?? []).toString('latin1')).toContain('track');
});

test('a viewer that joins without a cached group starts with the next key unit', () => {
  const { outlet, viewer } = subscriber();
  viewer.startWith([], false);
  viewer.offer(batch(item('reference')));
  expect(outlet.written).toHaveLength(0);
  viewer.offer(batch(item('key'), item('reference')));
  expect(viewer.tally).toMatchObject({ sentUnits: 2, droppedUnits: 1 });
  expect(viewer.isInStep).toBe(true);
});

test('held, it gets no video until resumed, then goes on with the next key unit', () => {
  const { viewer } = subscriber();
  viewer.offer(batch(item('key')));
  viewer.hold();
  viewer.offer(batch(item('key')));
  viewer.resume();
  viewer.offer(batch(item('reference')));
  viewer.offer(batch(item('key')));
  expect(viewer.tally).toMatchObject({ sentUnits: 2, droppedUnits: 2 });
});

test('finishing waits for what is queued, and not for ever', () => {
  const { outlet, clock, viewer } = subscriber();
  outlet.isStuck = true;
  viewer.offer(batch(item('key'), item('reference')));
  viewer.offer(batch(item('reference')));
  const calls: string[] = [];
  viewer.finish(2000, () => calls.push('done'));
  clock.advance(1999);
  expect(calls).toEqual([]);
  clock.advance(1);
  outlet.waitingBytes = 0;
  viewer.pump();
  expect(calls).toEqual(['done']);
});
