// A whole server on free ports and a temporary data directory, with publishers and viewers that speak tessera.1 over real sockets.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { resolveConfig } from '../../shared/config/resolve-config.ts';
import type { TrackConfig } from '../../shared/media/access-unit.ts';
import { microseconds } from '../../shared/media/time.ts';
import { parseControl } from '../../shared/protocol/control-message.ts';
import {
  decodeObjects,
  encodeObject,
  type ObjectHeader,
  type WireObject,
} from '../../shared/protocol/object-header.ts';
import { TO_PUBLISHER, type ToPublisher } from '../../shared/protocol/publisher-messages.ts';
import { SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import { trackConfigToWire } from '../../shared/protocol/track-message.ts';
import { TO_VIEWER, type ToViewer } from '../../shared/protocol/viewer-messages.ts';
import { silentLogger } from '../../server/platform/logger.ts';
import { startAll, type RunningServer, type StartOptions } from '../../server/roles/all.ts';
import { videoConfig } from './stream-room.ts';

export type TestServer = RunningServer & {
  readonly ws: string;
  readonly dataDir: string;
  counter(name: string): Promise<number>;
};

/** Starts a server. `flags` are flags of `tessera serve`; RTMP is off unless they say otherwise. */
export async function startServer(
  flags: Record<string, string> = {},
  options: Omit<StartOptions, 'logger'> = {},
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tessera-server-'));
  const config = resolveConfig({
    flags: { 'http.host': '127.0.0.1', 'http.port': '0', 'rtmp.port': 'off', dataDir, ...flags },
    environment: {},
  });
  const server = await startAll(config, { logger: silentLogger, ...options });
  return {
    ...server,
    dataDir,
    ws: server.http.replace('http', 'ws'),
    /** Sum over all label values. */
    counter: async (name) => {
      const metric = await server.metrics.registry.getSingleMetric(`tessera_${name}`)?.get();
      return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
    stop: async () => {
      const leftBehind = await server.stop();
      await rm(dataDir, { recursive: true, force: true });
      return leftBehind;
    },
  };
}

/** Waits for a condition, looking every few milliseconds. Rejects with its description after `timeoutMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 8000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`Not within ${timeoutMs} ms: ${what}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A WebSocket that keeps its messages and how it was closed. */
class Connection {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly binaries: Buffer[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(url: string, options: { readonly protocols?: readonly string[]; readonly origin?: string } = {}) {
    this.socket = new WebSocket(url, [...(options.protocols ?? [SUBPROTOCOL])], {
      ...(options.origin === undefined ? {} : { origin: options.origin }),
    });
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        this.binaries.push(data);
      } else {
        this.texts.push(data.toString());
      }
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('error', () => undefined);
  }

  async open(): Promise<this> {
    await until('the socket is open', () => this.socket.readyState !== WebSocket.CONNECTING);
    return this;
  }

  async closeCode(): Promise<number> {
    await until('the socket is closed', () => this.closed !== null);
    return this.closed?.code ?? 0;
  }

  leave(): void {
    this.socket.close();
  }
}

/** A publisher: `hello` and its tracks first, then units at the times that the test gives. */
export class TestPublisher extends Connection {
  private object = 0;
  private group = -1;

  get messages(): ToPublisher[] {
    return this.texts.flatMap((text) => parseControl(TO_PUBLISHER, text) ?? []);
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  async hello(key: string): Promise<void> {
    await this.open();
    this.say({ type: 'hello', role: 'publish', key });
    await until(
      'the publisher is welcome',
      () => this.messages.some(({ type }) => type === 'welcome') || this.closed !== null,
    );
  }

  track(config: TrackConfig = videoConfig(), id = 0, name = config.kind as string): void {
    this.say({ type: 'track', id, name, config: trackConfigToWire(config) });
  }

  /** Sends one video unit at `ms`. */
  unit(ms: number, overrides: Partial<ObjectHeader> & { readonly payload?: Uint8Array } = {}): void {
    const priority = overrides.priority ?? 'reference';
    this.object = priority === 'key' ? 0 : this.object + 1;
    this.group += priority === 'key' ? 1 : 0;
    const { payload = Buffer.from(`unit ${ms}`), ...header } = overrides;
    this.socket.send(
      encodeObject(
        {
          kind: 'video',
          trackId: 0,
          priority,
          isCached: false,
          temporalLayer: 0,
          group: Math.max(0, this.group),
          object: this.object,
          pts: microseconds(Math.round(ms * 1000)),
          dts: microseconds(Math.round(ms * 1000)),
          arrivalTime: microseconds(0),
          ...header,
        },
        payload,
      ),
    );
  }
}

export class TestViewer extends Connection {
  get messages(): ToViewer[] {
    return this.texts.flatMap((text) => parseControl(TO_VIEWER, text) ?? []);
  }

  get objects(): WireObject[] {
    return this.binaries.flatMap((message) => decodeObjects(message));
  }

  get states(): string[] {
    return this.messages.flatMap((message) => (message.type === 'state' ? [message.state] : []));
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits until the viewer has `count` objects, and returns them. */
  async received(count: number): Promise<WireObject[]> {
    await until(`${count} objects have come`, () => this.objects.length >= count || this.closed !== null);
    return this.objects;
  }
}

/** A publisher that is live with one video track. */
export async function publish(server: TestServer, stream: string, key = server.publishKey): Promise<TestPublisher> {
  const publisher = new TestPublisher(`${server.ws}/publish/${stream}`);
  await publisher.hello(key);
  publisher.track();
  return publisher;
}

export async function watch(server: TestServer, stream: string, query = 'rendition=source'): Promise<TestViewer> {
  return new TestViewer(`${server.ws}/subscribe/${stream}?${query}`).open();
}
