// Starts the Chromium of this machine for end-to-end tests, always with the same flags: headless, no network of its own.

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { chromiumPath } from './requirements.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A fake 30 fps camera and a beeping microphone, allowed without asking. */
export const FAKE_DEVICES = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream'] as const;

/** Resolves any host name ending in .test to this machine: a page on it is not a secure context. */
export const INSECURE_HOST = ['--host-resolver-rules=MAP *.test 127.0.0.1'] as const;

/** A browser; the caller closes it. */
export function launchBrowser(extraFlags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: [...FLAGS, ...extraFlags], headless: true });
}

/** A page that collects what goes wrong in it. */
export type WatchedPage = {
  readonly page: Page;
  readonly problems: readonly string[];
  readonly close: () => Promise<void>;
};

/** A page in a context of its own; uncaught errors, console errors and violations of the security policy are problems. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') {
      problems.push(`console: ${message.text()}`);
    }
  });
  return { page, problems, close: () => context.close() };
}
