// Both renderers in a real browser: the colours on the screen are those that the stream's colour description means, and pictures with
// oblong samples get their shape. One suite, two implementations.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { ColourDescription } from '../../shared/media/colour.ts';
import { launchBrowser } from '../support/browser.ts';
import { makeClip } from '../support/clip.ts';
import { ensurePages } from '../support/pages.ts';
import { canvasColour, openPlayer, waitForStats } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const colour = (matrix_coefficients: number, video_full_range_flag: boolean): ColourDescription => ({
  colour_primaries: 1,
  transfer_characteristics: 1,
  matrix_coefficients,
  video_full_range_flag,
});

// What Y = 120, Cb = 90, Cr = 170 means, worked out by hand from H.273 8.3 with the Kr and Kb of each matrix.
const CASES = [
  { name: 'BT.709, limited range', description: colour(1, false), rgb: [196, 107, 41] },
  { name: 'BT.601, limited range', description: colour(6, false), rgb: [188, 102, 44] },
  { name: 'BT.709, full range', description: colour(1, true), rgb: [186, 107, 49] },
] as const;

// The browser's own converter, behind the 2D canvas, rounds the blue coefficient of BT.709 down (2.11 to 2).
const TOLERANCES = { webgl: 3, '2d': 6 } as const;

describeWith(['ffmpeg', 'chromium'], 'the renderers', () => {
  let browser: Browser;

  beforeAll(async () => {
    ensurePages();
    browser = await launchBrowser();
  }, 60_000);

  afterAll(() => browser.close());

  for (const renderer of ['webgl', '2d'] as const) {
    for (const { name, description, rgb } of CASES) {
      test(`${renderer} shows ${name} in its true colours and shape`, async () => {
        const clip = await makeClip({
          width: 320,
          height: 180,
          fps: 15,
          seconds: 1,
          source: 'color=c=black:size=320x180:rate=15,format=yuv420p,geq=lum=120:cb=90:cr=170',
          videoCodec: ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4', '-bf', '0'],
          colour: description,
          sampleAspect: [4, 3],
        });
        const server = await StandInServer.start(clip);
        const watched = await openPlayer(browser, server.url, { query: `?renderer=${renderer}` });
        try {
          expect(await waitForStats(watched.page, 's.painted > 5')).toMatchObject({ renderer });
          const shown = await canvasColour(watched.page, 0.5, 0.25);
          rgb.forEach((value, channel) =>
            expect(Math.abs(value - (shown[channel] ?? -99))).toBeLessThanOrEqual(TOLERANCES[renderer]),
          );
          const box = await watched.page.locator('#video').boundingBox();
          expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo((320 * 4) / (180 * 3), 1);
          expect(watched.problems).toEqual([]);
        } finally {
          await watched.close();
          await server.close();
          clip.close();
        }
      }, 60_000);
    }
  }
});
