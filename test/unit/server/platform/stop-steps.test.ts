// Stopping step by step: order, time that is handed on, and what hangs or fails.

import { expect, test } from '@jest/globals';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { stopInSteps, type StopStage } from '../../../../server/platform/stop-steps.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = (): Promise<void> => new Promise(() => undefined);

test('runs the steps in order and the stages of one step together', async () => {
  const done: string[] = [];
  const stage = (name: string): StopStage => ({ name, withinMs: 100, run: () => done.push(name) });
  const clock = new FakeClock();
  const leftBehind = await stopInSteps([[stage('a')], [stage('b'), stage('c')], [stage('d')]], {
    clock,
    logger: silentLogger,
  });
  expect([done, leftBehind]).toEqual([['a', 'b', 'c', 'd'], []]);
  expect(clock.pending).toBe(0);
});

test('leaves a stage behind that hangs, and goes on with the next step', async () => {
  const clock = new FakeClock();
  const granted: number[] = [];
  const stopping = stopInSteps(
    [[{ name: 'stuck', withinMs: 100, run: never }], [{ name: 'next', withinMs: 50, run: (ms) => granted.push(ms) }]],
    { clock, logger: silentLogger },
  );
  await settle();
  clock.advance(99);
  await settle();
  expect(granted).toEqual([]);
  clock.advance(1);
  expect(await stopping).toEqual(['stuck']);
  expect(granted).toEqual([50]);
});

test('hands on the time that earlier steps did not use', async () => {
  const clock = new FakeClock();
  const granted: number[] = [];
  const quick: StopStage = { name: 'quick', withinMs: 1000, run: () => clock.advance(300) };
  const last: StopStage = { name: 'last', withinMs: 200, run: (ms) => granted.push(ms) };
  expect(await stopInSteps([[quick], [last]], { clock, logger: silentLogger })).toEqual([]);
  expect(granted).toEqual([900]);
});

test('names stages that fail, at once or later, and never rejects', async () => {
  const throws: StopStage = {
    name: 'throws',
    withinMs: 100,
    run: () => {
      throw new Error('broken');
    },
  };
  const rejects: StopStage = { name: 'rejects', withinMs: 100, run: () => Promise.reject(new Error('broken')) };
  const told: unknown[] = [];
  const logger = { ...silentLogger, error: (fields: unknown) => told.push(fields) } as unknown as typeof silentLogger;
  expect(await stopInSteps([[throws, rejects]], { clock: new FakeClock(), logger })).toEqual(['throws', 'rejects']);
  expect(told).toEqual([
    { stage: 'throws', reason: 'broken' },
    { stage: 'rejects', reason: 'broken' },
  ]);
});
