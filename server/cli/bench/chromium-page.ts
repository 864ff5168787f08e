// A page in a real Chromium, for benchmarks that end at the viewer's eye: starts the browser without a window, opens one address and
// evaluates expressions there. Speaks the DevTools protocol over `ws`, so that the benchmark needs no test framework.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const START_MS = 30_000;
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'] as const;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

/** The browser to use: CHROMIUM_PATH, else the first of the usual names on PATH, else null. */
export function locateChromium(): string | null {
  const wanted = process.env['CHROMIUM_PATH'];
  const candidates = wanted === undefined ? NAMES : [wanted];
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ?? null;
}

type Answer = {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
};

type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

/** One browser with one page, from open() to close(). */
export class ChromiumPage {
  readonly #browser: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #session = '';

  private constructor(browser: ChildProcess, folder: string, socket: WebSocket) {
    this.#browser = browser;
    this.#folder = folder;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      const waiting = this.#waiting.get(answer.id ?? 0);
      this.#waiting.delete(answer.id ?? 0);
      waiting?.resolve(answer);
    });
    socket.on('close', () => {
      this.#waiting.forEach(({ reject }) => {
        reject(new Error('The browser is gone.'));
      });
      this.#waiting.clear();
    });
    socket.on('error', () => undefined); // `close` follows
  }

  /** Starts `program` and opens `address` in it. */
  static async open(program: string, address: string): Promise<ChromiumPage> {
    const folder = await mkdtemp(join(tmpdir(), 'tessera-chromium-'));
    const browser = spawn(program, [...FLAGS, `--user-data-dir=${folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const socket = new WebSocket(await debuggingAddress(browser));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const page = new ChromiumPage(browser, folder, socket);
    const { targetId } = await page.#call('Target.createTarget', { url: address });
    const { sessionId } = await page.#call('Target.attachToTarget', { targetId, flatten: true });
    page.#session = String(sessionId);
    return page;
  }

  /** The value of an expression in the page; promises are awaited. Rejects when it throws. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(`The page failed at "${expression.slice(0, 80)}": ${JSON.stringify(exceptionDetails)}`);
    }
    return (result as { readonly value: Value }).value;
  }

  /** Looks again and again until the expression is true; a page that is being loaded has no answer yet. Rejects after `withinMs`. */
  async until(expression: string, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false))) {
      if (performance.now() > deadline) {
        throw new Error(`The page did not come to ${expression} within ${withinMs / 1000} s.`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#browser.once('exit', resolve));
    this.#socket.terminate();
    this.#browser.kill('SIGKILL');
    await gone;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #call(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#nextId;
    this.#nextId += 1;
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    });
    if (answer.error !== undefined) {
      throw new Error(`The browser refused ${method}: ${answer.error.message}`);
    }
    return answer.result ?? {};
  }
}

/** Where the browser listens for its debugger: it says so on stderr. */
function debuggingAddress(browser: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      reject(new Error('The browser did not start.'));
    }, START_MS);
    browser.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address !== undefined) {
        clearTimeout(timer);
        resolve(address);
      }
    });
    browser.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`The browser ended at its start: ${text.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}
