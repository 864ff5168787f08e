import { expect, test } from '@jest/globals';
import { DemoPicture } from '../../../../server/demo/demo-picture.ts';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';
import { i420ByteLength, packedI420 } from '../../../../shared/media/frame.ts';
import { readPictureClock } from '../../../../shared/media/picture-clock.ts';
import { microseconds } from '../../../../shared/media/time.ts';

const meta = { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR };

test('draws one packed I420 picture that carries its time, at any moment of its course', () => {
  const picture = new DemoPicture(640, 360);
  for (const seconds of [0, 0.033, 5.1, 16, 100.7, 3600.4]) {
    const epochMs = 1_795_000_000_000 + Math.floor(seconds * 1000);
    const bytes = picture.draw(seconds, epochMs);
    expect(bytes.length).toBe(i420ByteLength(640, 360));
    expect(readPictureClock(packedI420(bytes, { width: 640, height: 360 }, meta).y)).toBe(epochMs);
  }
});

test('moves from frame to frame in a good part of the picture', () => {
  const picture = new DemoPicture(640, 360);
  const [first, second] = [picture.draw(2, 1_795_000_000_000), picture.draw(2 + 1 / 30, 1_795_000_000_033)];
  let changed = 0;
  for (let i = 0; i < 640 * 360; i++) {
    changed += first[i] === second[i] ? 0 : 1;
  }
  expect(changed).toBeGreaterThan(0.2 * 640 * 360);
});
