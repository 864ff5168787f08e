// What browser tests do with the player page: open it, wait for conditions, read window.tessera.

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { PlaybackStats } from '../../client/media/decode-messages.ts';
import { openPage, type WatchedPage } from './browser.ts';

/** A picture as window.tessera.frame() gives it, brought over. */
export type FetchedFrame = {
  readonly ptsUs: number;
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
};

/** How to open the player. */
export type PlayerPageOptions = {
  readonly query?: string;
  readonly initScript?: string;
  readonly context?: BrowserContextOptions;
};

/** The player page of the stream `clip`. */
export async function openPlayer(browser: Browser, url: string, options: PlayerPageOptions = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, options.context);
  if (options.initScript !== undefined) {
    await watched.page.addInitScript({ content: options.initScript });
  }
  await watched.page.goto(`${url}/watch/clip${options.query ?? ''}`);
  return watched;
}

/** The page's statistics now. */
export async function statsOf(page: Page): Promise<PlaybackStats> {
  return JSON.parse(await page.evaluate('JSON.stringify(window.tessera.stats())')) as PlaybackStats;
}

/** Waits until an expression is true in the page (asked from here, because the page's policy forbids eval). */
export async function waitUntil(page: Page, expression: string, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await page.evaluate<boolean>(`Boolean(${expression})`))) {
    if (Date.now() > deadline) {
      const stats = await page.evaluate<string>('JSON.stringify(window.tessera && window.tessera.stats())');
      throw new Error(`After ${timeoutMs} ms it is not yet true that ${expression}; the statistics are ${stats}.`);
    }
    await page.waitForTimeout(40);
  }
}

/** Waits until an expression over `s` (the statistics) is true in the page. */
export async function waitForStats(page: Page, condition: string, timeoutMs = 20_000): Promise<PlaybackStats> {
  await waitUntil(page, `((s) => s && (${condition}))(window.tessera && window.tessera.stats())`, timeoutMs);
  return statsOf(page);
}

/** The last painted picture as packed I420. */
export async function fetchFrame(page: Page): Promise<FetchedFrame> {
  const { base64, ...rest } = await page.evaluate<{
    ptsUs: number;
    width: number;
    height: number;
    base64: string;
  }>(`(() => {
    const { ptsUs, width, height, y, u, v } = window.tessera.frame();
    let binary = '';
    for (const plane of [y, u, v]) {
      for (let at = 0; at < plane.length; at += 32768) {
        binary += String.fromCharCode(...plane.subarray(at, at + 32768));
      }
    }
    return { ptsUs, width, height, base64: btoa(binary) };
  })()`);
  return { ...rest, samples: new Uint8Array(Buffer.from(base64, 'base64')) };
}

/** Waits for the overlay of a state and returns its words. */
export async function waitForStatus(page: Page, kind: string, timeoutMs = 15_000): Promise<string> {
  const overlay = page.locator(`[data-status="${kind}"]`);
  await overlay.waitFor({ timeout: timeoutMs });
  return (await overlay.textContent()) ?? '';
}

/** Colour of a screenshot's pixel, by the page's own PNG decoder. Coordinates are shares of the canvas, 0..1. */
export async function canvasColour(page: Page, x: number, y: number): Promise<readonly number[]> {
  const png = await page.locator('#video').screenshot();
  const reader = await page.context().newPage();
  const colour = await reader.evaluate<number[]>(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [...context.getImageData(Math.floor(image.width * ${x}), Math.floor(image.height * ${y}), 1, 1).data].slice(0, 3);
  })()`);
  await reader.close();
  return colour;
}
