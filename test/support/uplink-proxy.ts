// A TCP proxy between a browser and the server whose uplink can be made narrow, or cut: what a home connection does to a streamer.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const TICK_MS = 20;
/** Bytes that the proxy itself may hold per connection; the rest waits where it comes from. */
const HELD_BYTES = 16_384;

type Passage = { readonly client: Socket; readonly server: Socket; readonly waiting: Buffer[]; waitingBytes: number };

/** From start() to close(). */
export class UplinkProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly #listener: ReturnType<typeof createServer>;
  readonly #target: number;
  readonly #passages = new Set<Passage>();
  readonly #timer: NodeJS.Timeout;
  #kbps = Infinity;
  #isCut = false;
  #credit = 0;
  #refilledAt = performance.now();
  #carriedBytes = 0;

  private constructor(listener: ReturnType<typeof createServer>, target: number) {
    this.#listener = listener;
    this.#target = target;
    this.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    listener.on('connection', (client) => this.#accept(client));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Listens on a free port and passes everything to `http://127.0.0.1:PORT`. */
  static async start(serverUrl: string): Promise<UplinkProxy> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return new UplinkProxy(listener, Number(new URL(serverUrl).port));
  }

  /** Bytes that went up so far. */
  get carriedBytes(): number {
    return this.#carriedBytes;
  }

  /** All connections together carry at most this much towards the server. */
  set uplinkKbps(kbps: number) {
    this.#kbps = kbps;
    this.#credit = 0;
  }

  /** Ends every connection without a word and accepts none until mend(). */
  cut(): void {
    this.#isCut = true;
    this.#passages.forEach(({ client, server }) => {
      client.destroy();
      server.destroy();
    });
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    const passage: Passage = { client, server, waiting: [], waitingBytes: 0 };
    this.#passages.add(passage);
    const over = (): void => {
      this.#passages.delete(passage);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', over);
      socket.on('close', over);
    }
    server.pipe(client);
    client.on('data', (bytes: Buffer) => {
      passage.waiting.push(bytes);
      passage.waitingBytes += bytes.length;
      if (this.#kbps !== Infinity && passage.waitingBytes > HELD_BYTES) {
        client.pause();
      }
      this.#tick();
    });
  }

  #tick(): void {
    const now = performance.now();
    const refill = this.#kbps === Infinity ? Infinity : ((now - this.#refilledAt) * this.#kbps) / 8;
    this.#credit = Math.min(this.#credit + refill, this.#kbps * TICK_MS);
    this.#refilledAt = now;
    for (const passage of this.#passages) {
      this.#carry(passage);
    }
  }

  #carry(passage: Passage): void {
    for (let first = passage.waiting[0]; first !== undefined && this.#credit >= 1; first = passage.waiting[0]) {
      const part = first.subarray(0, Math.min(first.length, Math.floor(this.#credit)));
      passage.server.write(part);
      this.#credit -= part.length;
      this.#carriedBytes += part.length;
      passage.waitingBytes -= part.length;
      if (part.length === first.length) {
        passage.waiting.shift();
      } else {
        passage.waiting[0] = first.subarray(part.length);
      }
    }
    if (passage.waitingBytes <= HELD_BYTES) {
      passage.client.resume();
    }
  }
}
