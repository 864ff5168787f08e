// The controller against an uplink in virtual time: objects wait in line, go through at the link's rate, and are acknowledged in intervals
// by a server whose clock is another.

import { describe, expect, test } from '@jest/globals';
import { UplinkController, type UplinkAdvice } from '../../../../client/media/uplink-controller.ts';

const FRAME_MS = 33;
const SOUND_MS = 20;
const SOUND_BYTES = 250;
const ACK_MS = 100;
const KEY_EVERY = 60;
/** A key picture takes as long as this at the target's rate, as the studio's encoder bounds it. */
const KEY_MS = 180;
const CLOCK_OFF_MS = 5_000_000;
const LIMITS = { ceilingKbps: 2500, floorKbps: 150 };

type Uplink = {
  readonly seconds: number;
  /** kbit/s at a time. */
  readonly kbps: (nowMs: number) => number;
  /** From the link's end to the server, and back, ms. */
  readonly wayMs?: number;
  readonly startKbps?: number;
};
type Sample = UplinkAdvice & { readonly at: number };
type Seen = {
  readonly advice: readonly Sample[];
  /** When pictures arrived. */
  readonly arrivals: readonly number[];
};

/** Publishes over the uplink as the controller advises, in steps of 1 ms. */
function publish(controller: UplinkController, { seconds, kbps, wayMs = 10, startKbps = 2500 }: Uplink): Seen {
  const advice: Sample[] = [];
  const arrivals: number[] = [];
  const line: { left: number; readonly bytes: number; readonly isPicture: boolean }[] = [];
  const underWay: { readonly at: number; readonly bytes: number; readonly isPicture: boolean }[] = [];
  const acks: { readonly at: number; readonly bytes: number; readonly serverMs: number }[] = [];
  let target = startKbps;
  let pictures = 0;
  let serverBytes = 0;
  const send = (now: number, bytes: number, isPicture: boolean): void => {
    line.push({ left: bytes, bytes, isPicture });
    controller.sent(now, bytes);
  };
  for (let now = 0; now < seconds * 1000; now += 1) {
    for (let room = kbps(now) / 8; room > 0 && line.length > 0;) {
      const [first] = line;
      const part = Math.min(room, first.left);
      first.left -= part;
      room -= part;
      if (first.left < 1e-6) {
        line.shift();
        underWay.push({ at: now + wayMs, bytes: first.bytes, isPicture: first.isPicture });
      }
    }
    while (underWay.length > 0 && underWay[0].at <= now) {
      const { bytes, isPicture } = underWay.shift()!;
      serverBytes += bytes;
      if (isPicture) {
        arrivals.push(now);
      }
    }
    if (now % ACK_MS === 50) {
      acks.push({ at: now + wayMs, bytes: serverBytes, serverMs: now + CLOCK_OFF_MS });
    }
    while (acks.length > 0 && acks[0].at <= now) {
      const { bytes, serverMs } = acks.shift()!;
      controller.acknowledged(now, bytes, serverMs);
    }
    if (now % SOUND_MS === 0) {
      send(now, SOUND_BYTES, false);
    }
    if (now % FRAME_MS === 0) {
      const answer = controller.advise(now);
      advice.push({ at: now, ...answer });
      target = answer.targetKbps;
      if (!answer.shouldSkip) {
        const isKey = pictures++ % KEY_EVERY === 0;
        const pictureKbps = Math.max(target / 2, target - (SOUND_BYTES * 8) / SOUND_MS);
        send(now, (pictureKbps * (isKey ? KEY_MS : FRAME_MS - (KEY_MS - FRAME_MS) / KEY_EVERY)) / 8, true);
      }
    }
  }
  return { advice, arrivals };
}

const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
const gaps = (arrivals: readonly number[]): number[] => arrivals.slice(1).map((at, i) => at - arrivals[i]);
const targets = (advice: readonly Sample[], from: number, to: number): number[] =>
  advice.filter(({ at }) => at >= from && at < to).map(({ targetKbps }) => targetKbps);

test('stays at the ceiling on a wide uplink, and leaves no picture out', () => {
  const { advice } = publish(new UplinkController(LIMITS), { seconds: 20, kbps: () => 50_000 });
  expect(advice.every(({ targetKbps, shouldSkip }) => targetKbps === 2500 && !shouldSkip)).toBe(true);
});

test('takes a long way for no queue', () => {
  const { advice } = publish(new UplinkController(LIMITS), { seconds: 20, kbps: () => 50_000, wayMs: 400 });
  expect(advice.every(({ targetKbps, shouldSkip }) => targetKbps === 2500 && !shouldSkip)).toBe(true);
});

test('bears an uplink that is only a little wider than the ceiling', () => {
  const { advice } = publish(new UplinkController(LIMITS), { seconds: 30, kbps: () => 3500 });
  expect(Math.min(...advice.map(({ targetKbps }) => targetKbps))).toBe(2500);
  expect(advice.some(({ shouldSkip }) => shouldSkip)).toBe(false);
});

describe.each([
  { from: 50_000, to: 800 },
  { from: 3000, to: 800 },
  { from: 2500, to: 1500 },
  { from: 50_000, to: 500 },
])('an uplink of $from kbit/s cut to $to', ({ from, to }) => {
  // Whatever was under way when it was cut: two seconds have a key picture, pictures and pauses in between.
  const moments = Array.from({ length: 12 }, (_, i) => 6000 + 170 * i);

  test('is followed within three seconds, and the target stays below it', () => {
    for (const cutAt of moments) {
      const { advice } = publish(new UplinkController(LIMITS), {
        seconds: 25,
        kbps: (now) => (now < cutAt ? from : to),
      });
      expect(largest(targets(advice, cutAt + 3000, 25_000))).toBeLessThan(to);
      expect(Math.min(...targets(advice, cutAt + 3000, 25_000))).toBeGreaterThan(to / 3);
    }
  });

  test('lets no second pass without a picture', () => {
    for (const cutAt of moments) {
      for (const wayMs of [5, 80]) {
        const { arrivals } = publish(new UplinkController(LIMITS), {
          seconds: 25,
          kbps: (now) => (now < cutAt ? from : to),
          wayMs,
        });
        // A key picture meant for the rate of before may be under way: nobody can call it back.
        const keyMs = (LIMITS.ceilingKbps * KEY_MS) / to;
        expect(largest(gaps(arrivals))).toBeLessThan(Math.max(1000, keyMs + 200));
      }
    }
  });
});

test('rises again, slowly and never past the ceiling, when the uplink is wide again', () => {
  const { advice } = publish(new UplinkController(LIMITS), {
    seconds: 120,
    kbps: (now) => (now > 5000 && now < 12_000 ? 800 : 50_000),
  });
  expect(advice.at(-1)?.targetKbps).toBe(2500);
  expect(largest(advice.map(({ targetKbps }) => targetKbps))).toBe(2500);
  expect(largest(targets(advice, 12_000, 20_000))).toBeLessThan(1000);
});

test('never passes a ceiling that is lowered by hand', () => {
  const controller = new UplinkController(LIMITS);
  controller.setCeiling(900);
  expect(controller.advise(0).targetKbps).toBe(900);
});

test('asks to leave pictures out while far too much waits, whatever the two clocks say', () => {
  const controller = new UplinkController(LIMITS);
  controller.sent(0, 1000);
  controller.acknowledged(50, 1000, CLOCK_OFF_MS + 20);
  controller.sent(100, 100_000);
  controller.acknowledged(350, 1000, CLOCK_OFF_MS + 320);
  expect(controller.queueMs).toBe(200);
  expect(controller.advise(400).shouldSkip).toBe(false);
  controller.acknowledged(650, 1000, CLOCK_OFF_MS + 620);
  expect(controller.advise(700).shouldSkip).toBe(true);
  controller.acknowledged(750, 101_000, CLOCK_OFF_MS + 720);
  expect(controller.advise(800).shouldSkip).toBe(false);
});

test('leaves no picture out for a single late acknowledgement', () => {
  const controller = new UplinkController(LIMITS);
  controller.sent(0, 1000);
  controller.acknowledged(50, 1000, 20);
  controller.sent(100, 1000);
  controller.acknowledged(600, 1000, 590);
  expect(controller.advise(610).shouldSkip).toBe(false);
  controller.acknowledged(700, 2000, 690);
  expect(controller.advise(710)).toEqual({ targetKbps: 2500, shouldSkip: false });
});

test('halves the target each second that nothing gets through', () => {
  const controller = new UplinkController(LIMITS);
  const { advice } = publish(controller, { seconds: 8, kbps: (now) => (now < 4000 ? 50_000 : 0) });
  expect(advice.at(-1)?.targetKbps).toBeLessThanOrEqual(625);
  expect(advice.at(-1)?.shouldSkip).toBe(true);
});
