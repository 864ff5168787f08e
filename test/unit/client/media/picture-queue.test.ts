import { expect, test } from '@jest/globals';
import { PictureQueue } from '../../../../client/media/picture-queue.ts';

const picture = (ptsUs: number, bytes = 10) => ({ ptsUs, buffer: new ArrayBuffer(bytes) });
const never = (): boolean => false;
const always = (): boolean => true;

test('gives pictures in the order of their timestamps', () => {
  const queue = new PictureQueue();
  [30, 10, 20].forEach((pts) => queue.push(picture(pts)));
  const order = [1, 2, 3].map(() => queue.takeDue(always, never).picture?.ptsUs);
  expect(order).toEqual([10, 20, 30]);
});

test('keeps what is not due', () => {
  const queue = new PictureQueue();
  queue.push(picture(10));
  expect(queue.takeDue((pts) => pts < 10, never)).toEqual({ stale: [], picture: null });
  expect(queue.length).toBe(1);
});

test('paints a picture that is a little late, and the next one later', () => {
  const queue = new PictureQueue();
  [10, 20].forEach((pts) => queue.push(picture(pts)));
  const { stale, picture: painted } = queue.takeDue(always, never);
  expect(stale).toHaveLength(0);
  expect(painted?.ptsUs).toBe(10);
  expect(queue.length).toBe(1);
});

test('skips stale pictures when a newer one is due', () => {
  const queue = new PictureQueue();
  [10, 20, 30, 99].forEach((pts) => queue.push(picture(pts)));
  const { stale, picture: painted } = queue.takeDue((pts) => pts <= 30, always);
  expect(stale.map((entry) => entry.ptsUs)).toEqual([10, 20]);
  expect(painted?.ptsUs).toBe(30);
});

test('evicts the oldest beyond its bounds of number and bytes', () => {
  const byNumber = new PictureQueue({ pictures: 2, bytes: 1000 });
  expect([10, 20, 30].flatMap((pts) => byNumber.push(picture(pts))).map((entry) => entry.ptsUs)).toEqual([10]);
  const byBytes = new PictureQueue({ pictures: 100, bytes: 25 });
  expect([10, 20, 30].flatMap((pts) => byBytes.push(picture(pts))).map((entry) => entry.ptsUs)).toEqual([10]);
});

test('says how much time it holds', () => {
  const queue = new PictureQueue();
  expect(queue.spanMs).toBe(0);
  [0, 33_000, 66_000].forEach((pts) => queue.push(picture(pts)));
  expect(queue.spanMs).toBe(66);
  expect(queue.clear()).toHaveLength(3);
  expect(queue.length).toBe(0);
});
