// Sensors without any video, from the reporter through log, windows and rules to the health of their stream, on a fake clock.

import { afterEach, expect, test } from '@jest/globals';
import type { HealthSettings } from '../../../../../server/analytics/health/evaluator.ts';
import { HealthScene } from '../../../../support/health-scene.ts';

let scene: HealthScene;
afterEach(() => scene.close());

type Sensor = { readonly key: string; value: number; isSilent: boolean; clockOffMs: number };

function begin(keys: readonly string[], settings?: HealthSettings): Map<string, Sensor> {
  scene = new HealthScene(settings);
  const sensors = new Map(keys.map((key) => [key, { key, value: 20, isSilent: false, clockOffMs: 0 }]));
  scene.clock.every(1000, () => {
    const now = scene.clock.epochMs();
    for (const { key, value, isSilent, clockOffMs } of sensors.values()) {
      if (!isSilent) {
        scene.reporter.report({ type: 'weather', topic: 'data', stream: 'city', key, value, ts: now + clockOffMs });
      }
    }
  });
  return sensors;
}

test('a lamp that goes silent is told with its name, and again when it is back', async () => {
  const sensors = begin(['lamp-1', 'lamp-2']);
  await scene.run(30_000);
  expect(scene.report('city')).toMatchObject({ status: 'good', score: 100, bitrateKbps: null, issues: [] });
  sensors.get('lamp-2')!.isSilent = true;
  await scene.run(20_000);
  expect(scene.report('city')).toMatchObject({
    status: 'ok',
    issues: [{ type: 'device-silent', subject: 'lamp-2', stage: 'device', expected: 10_000 }],
  });
  sensors.get('lamp-2')!.isSilent = false;
  await scene.run(10_000);
  const { status, recent } = scene.report('city');
  expect(status).toBe('good');
  expect(recent).toMatchObject([{ type: 'device-silent', subject: 'lamp-2' }]);
  expect(scene.alerts.map(({ change, issue }) => `${change} ${issue.subject}`)).toEqual([
    'opened lamp-2',
    'closed lamp-2',
  ]);
}, 60_000);

test('a whole stream of sensors that falls silent is told, too', async () => {
  const sensors = begin(['air']);
  await scene.run(30_000);
  sensors.get('air')!.isSilent = true;
  await scene.run(20_000);
  expect(scene.report('city').issues).toMatchObject([{ type: 'device-silent', subject: 'air' }]);
}, 60_000);

test('a sensor an hour behind is late for its windows and told so', async () => {
  const sensors = begin(['air', 'rain']);
  await scene.run(20_000);
  sensors.get('rain')!.clockOffMs = -3_600_000;
  await scene.run(10_000);
  expect(scene.report('city').issues).toMatchObject([{ type: 'clock-wrong', subject: 'rain', stage: 'device' }]);
}, 60_000);

test('a value outside the limits of the operator is told while it lasts', async () => {
  const sensors = begin(['air'], {
    objectives: { latencyMs: 3000 },
    dataRules: [{ stream: '*', key: 'air', statistic: 'mean', above: 35 }],
  });
  await scene.run(15_000);
  sensors.get('air')!.value = 50;
  await scene.run(12_000);
  expect(scene.report('city').issues).toMatchObject([
    { type: 'data-out-of-range', subject: 'air mean', actual: 50, expected: 35 },
  ]);
  sensors.get('air')!.value = 20;
  await scene.run(20_000);
  expect(scene.report('city').issues).toEqual([]);
}, 60_000);
