import { expect, test } from '@jest/globals';
import { UplinkController } from '../../../../client/media/uplink-controller.ts';

const ACK_MS = 500;
const STEP_MS = 33;

// A link that carries `linkKbps(now)`; the publisher sends at the advised rate. Returns the advice over time.
function simulate(
  controller: UplinkController,
  seconds: number,
  linkKbps: (nowMs: number) => number,
): { at: number; kbps: number }[] {
  const advice: { at: number; kbps: number }[] = [];
  let target = 2500;
  let sent = 0;
  let arrived = 0;
  let isSkipping = false;
  for (let now = 0; now < seconds * 1000; now += STEP_MS) {
    arrived = Math.min(sent, arrived + (linkKbps(now) * STEP_MS) / 8);
    if (!isSkipping) {
      const bytes = (target * STEP_MS) / 8;
      sent += bytes;
      controller.sent(now, bytes);
    }
    if (now % ACK_MS < STEP_MS) {
      controller.acknowledged(now, arrived);
    }
    const answer = controller.advise(now, ACK_MS);
    target = answer.targetKbps;
    isSkipping = answer.shouldSkip;
    advice.push({ at: now, kbps: target });
  }
  return advice;
}

test('stays at the ceiling on a wide uplink', () => {
  const advice = simulate(new UplinkController({ ceilingKbps: 2500, floorKbps: 150 }), 20, () => 50_000);
  expect(advice.every(({ kbps }) => kbps === 2500)).toBe(true);
});

test('is below a cut uplink within three seconds, and stays there', () => {
  const controller = new UplinkController({ ceilingKbps: 2500, floorKbps: 150 });
  const advice = simulate(controller, 20, (now) => (now < 5000 ? 50_000 : 800));
  const after = advice.filter(({ at }) => at >= 8000 && at < 10_000);
  expect(Math.max(...after.map(({ kbps }) => kbps))).toBeLessThan(800);
});

test('rises again, slowly and never past the ceiling, when the uplink is wide again', () => {
  const controller = new UplinkController({ ceilingKbps: 2500, floorKbps: 150 });
  const advice = simulate(controller, 120, (now) => (now > 5000 && now < 12_000 ? 800 : 50_000));
  expect(advice.at(-1)?.kbps).toBe(2500);
  expect(Math.max(...advice.map(({ kbps }) => kbps))).toBe(2500);
});

test('never passes a ceiling that is lowered by hand', () => {
  const controller = new UplinkController({ ceilingKbps: 2500, floorKbps: 150 });
  controller.setCeiling(900);
  expect(controller.advise(0, ACK_MS).targetKbps).toBe(900);
});

test('asks to skip pictures when far too much waits', () => {
  const controller = new UplinkController({ ceilingKbps: 2500, floorKbps: 150 });
  controller.sent(0, 100_000);
  expect(controller.advise(1000, ACK_MS).shouldSkip).toBe(false);
  expect(controller.advise(1700, ACK_MS).shouldSkip).toBe(true);
  controller.acknowledged(1800, 100_000);
  expect(controller.advise(1800, ACK_MS).shouldSkip).toBe(false);
});
