import { expect, test } from '@jest/globals';
import { RestartPolicy } from '../../../../server/transcode/restart-policy.ts';

test('starts again at once after the first death and keeps the group', () => {
  expect(new RestartPolicy().onDeath(0, 7, false)).toEqual({ kind: 'restart', delayMs: 0, skipGroup: false });
});

test('leaves a group alone that killed its worker twice', () => {
  const policy = new RestartPolicy();
  policy.onDeath(0, 7, false);
  expect(policy.onDeath(10, 7, false)).toMatchObject({ skipGroup: true });
  expect(policy.onDeath(20, 8, false)).toMatchObject({ skipGroup: false });
});

test('leaves a group alone at once when it is known to be the cause', () => {
  expect(new RestartPolicy().onDeath(0, 7, true)).toMatchObject({ skipGroup: true });
});

test('waits longer each time and gives up after six restarts in a minute', () => {
  const policy = new RestartPolicy();
  const delays = [0, 1, 2, 3, 4, 5].map((group) => policy.onDeath(group * 1000, group, false));
  expect(delays.map((restart) => (restart.kind === 'restart' ? restart.delayMs : -1))).toEqual([
    0, 100, 200, 400, 800, 1600,
  ]);
  expect(policy.onDeath(6000, 6, false)).toEqual({ kind: 'give-up' });
});

test('forgets what is older than a minute', () => {
  const policy = new RestartPolicy();
  for (let i = 0; i < 6; i++) {
    policy.onDeath(i, i, false);
  }
  expect(policy.onDeath(60_100, 9, false)).toMatchObject({ kind: 'restart', delayMs: 0 });
});
