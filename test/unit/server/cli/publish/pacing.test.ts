import { expect, test } from '@jest/globals';
import { continuousEvents } from '../../../../../server/cli/publish/pacing.ts';
import { timeOf } from '../../../../../server/cli/publish/media-source.ts';
import type { MediaSource, SourceEvent } from '../../../../../server/cli/publish/media-source.ts';
import { microseconds } from '../../../../../shared/media/time.ts';

const unit = (name: 'video' | 'audio', dts: number): SourceEvent => ({
  kind: 'unit',
  name,
  unit: {
    priority: 'key',
    pts: microseconds(dts + 80_000),
    dts: microseconds(dts),
    data: new Uint8Array(1),
    arrivalTime: microseconds(0),
  },
});

const source = (events: readonly SourceEvent[]): MediaSource => ({
  // eslint-disable-next-line @typescript-eslint/require-await
  async *events() {
    yield* events;
  },
});

async function take(events: AsyncIterable<SourceEvent>, count: number): Promise<SourceEvent[]> {
  const taken: SourceEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) {
      break;
    }
  }
  return taken;
}

test('starts at zero whatever the times of the file are, and keeps composition times', async () => {
  const events = await take(continuousEvents(source([unit('video', 5_000_000), unit('video', 5_040_000)]), false), 9);
  expect(events.map(timeOf)).toEqual([0, 40_000]);
  expect(events[1]).toMatchObject({ unit: { pts: 120_000 } });
});

test('goes on over the seam of a loop by the longer track', async () => {
  const file = [
    unit('video', 0),
    unit('audio', 0),
    unit('audio', 20_000),
    unit('video', 40_000),
    unit('audio', 70_000),
  ];
  const events = await take(continuousEvents(source(file), true), 10);
  // The audio ends at 70 + 50, the video at 40 + 40: the next round starts at 120.
  expect(events.slice(5).map(timeOf)).toEqual([120_000, 120_000, 140_000, 160_000, 190_000]);
});

test('moves FLV tags with their timestamps modulo 2^32', async () => {
  const tag: SourceEvent = {
    kind: 'tag',
    name: 'video',
    tag: { type: 9, timestamp: 77, data: new Uint8Array(1) },
    dts: microseconds(77_000),
  };
  const [first, second] = await take(continuousEvents(source([tag]), true), 2);
  expect(first).toMatchObject({ tag: { timestamp: 0 } });
  expect(second).toMatchObject({ tag: { timestamp: 40 } });
});

test('ends for an empty file even when looped', async () => {
  expect(await take(continuousEvents(source([]), true), 1)).toEqual([]);
});
