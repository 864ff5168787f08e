// A small server that speaks tessera.1 to the player from a looped clip, so that the pages can be tested alone and made to meet what
// a real server does rarely: refusals, stalls, ends, a wrong clock, jitter. Serves dist/pages under the strict security policy.

import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { PEER_ERRORS, type PeerErrorCode } from '../../shared/errors.ts';
import type { TrackConfig } from '../../shared/media/access-unit.ts';
import { microseconds } from '../../shared/media/time.ts';
import { encodeObject } from '../../shared/protocol/object-header.ts';
import { trackConfigToWire } from '../../shared/protocol/track-message.ts';
import type { RenditionInfo, ViewerState } from '../../shared/protocol/viewer-messages.ts';
import type { Clip, ClipUnit } from './clip.ts';

/** The policy that the product's server sends with its pages. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; " +
  "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const VIDEO_ID = 1;
const AUDIO_ID = 2;

/** How the stand-in behaves. */
export type StandInOptions = {
  /** Age of a picture when it is sent, ms; null sends no capture times (latency kind ingest). */
  readonly captureAgeMs?: number | null;
  /** Milliseconds added to the sending of each unit, by its number. */
  readonly jitterMs?: (index: number) => number;
  readonly renditions?: readonly RenditionInfo[];
  readonly encoder?: 'publisher' | 'tessera';
  /** How far this server's clock is ahead of the machine's, ms. */
  readonly clockAheadMs?: number;
};

type Scheduled = { readonly unit: ClipUnit; readonly kind: 'video' | 'audio' };
type Sent = Scheduled & {
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly group: number;
  readonly object: number;
  readonly at: number;
};

function pageFile(path: string): string {
  if (path === '/') {
    return 'home.html';
  }
  if (path.startsWith('/watch/')) {
    return 'player.html';
  }
  return path === '/studio' || path === '/console' ? `${path.slice(1)}.html` : path.slice(1);
}

/** Serves pages and one endless stream called `clip`. */
export class StandInServer {
  readonly #clip: Clip;
  readonly #options: StandInOptions;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #viewers = new Set<WebSocket>();
  readonly #schedule: readonly Scheduled[];
  readonly #startedAt = Date.now();
  /** Everything that viewers reported. */
  readonly reports: Record<string, unknown>[] = [];
  #cache: Sent[] = [];
  #position = 0;
  #loop = 0;
  #group = 0;
  #objectInGroup = 0;
  #audioObject = 0;
  #timer: NodeJS.Timeout | undefined;
  #refusal: { readonly code: PeerErrorCode; readonly message: string } | null = null;
  #state: ViewerState = 'live';
  #isMuted = false;

  private constructor(clip: Clip, options: StandInOptions) {
    this.#clip = clip;
    this.#options = options;
    this.#schedule = [
      ...clip.video.units.map((unit) => ({ unit, kind: 'video' as const })),
      ...(clip.audio?.units ?? []).map((unit) => ({ unit, kind: 'audio' as const })),
    ].sort((a, b) => a.unit.dtsUs - b.unit.dtsUs);
    this.#http = createServer((request, response) => this.#answer(request, response));
    this.#http.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#admit(webSocket));
    });
  }

  /** Listens on a free port of 127.0.0.1 and starts to stream. */
  static async start(clip: Clip, options: StandInOptions = {}): Promise<StandInServer> {
    const server = new StandInServer(clip, options);
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    server.#next();
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  get #aheadMs(): number {
    return this.#options.clockAheadMs ?? 0;
  }

  /** Epoch ms of this machine at which the picture with this PTS was captured. */
  captureTimeMs(ptsUs: number): number {
    return this.#startedAt + ptsUs / 1000 - (this.#options.captureAgeMs ?? 0);
  }

  /** Refuses and disconnects everybody from now on, or (null) admits again. */
  refuse(code: PeerErrorCode | null, message = ''): void {
    this.#refusal = code === null ? null : { code, message };
    if (code !== null) {
      this.#viewers.forEach((viewer) => this.#turnAway(viewer));
    }
  }

  /** Cuts every connection without a word. */
  cut(): void {
    this.#viewers.forEach((viewer) => viewer.terminate());
  }

  /** Tells viewers; media stops unless `live`. */
  setState(state: ViewerState): void {
    this.#state = state;
    this.#isMuted = state !== 'live';
    this.#broadcast(JSON.stringify({ type: 'state', state, epoch: 1, viewers: this.#viewers.size }));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.cut();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://host').pathname;
    if (path === '/api/v1/streams') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(this.#streams()));
      return;
    }
    const file = normalize(join('dist/pages', pageFile(path)));
    if (!file.startsWith('dist/pages') || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': PAGE_POLICY,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    createReadStream(file).pipe(response);
  }

  #streams(): unknown {
    const { codec, width, height, fps } = this.#clip.video.config;
    const track = { name: 'source', kind: 'video', codec, width, height, fps, bitrateKbps: 800, encoder: 'publisher' };
    const publisher = { protocol: 'websocket' };
    const stream = {
      id: 'clip',
      state: this.#state,
      since: this.#startedAt,
      epoch: 1,
      publisher,
      viewers: this.viewers,
    };
    return { streams: [{ ...stream, tracks: [track] }] };
  }

  #admit(viewer: WebSocket): void {
    if (this.#refusal !== null) {
      this.#turnAway(viewer);
      return;
    }
    this.#viewers.add(viewer);
    viewer.on('close', () => this.#viewers.delete(viewer));
    viewer.on('message', (data) =>
      this.#listen(viewer, JSON.parse((data as Buffer).toString()) as Record<string, unknown>),
    );
    const renditions = this.#options.renditions ?? [];
    const welcome = { type: 'welcome', stream: 'clip', session: 's1', epoch: 1, state: this.#state, renditions };
    viewer.send(JSON.stringify(welcome));
    viewer.send(JSON.stringify(this.#track(VIDEO_ID, 'video', this.#clip.video.config)));
    if (this.#clip.audio !== null) {
      viewer.send(JSON.stringify(this.#track(AUDIO_ID, 'audio', this.#clip.audio.config)));
    }
    viewer.send(JSON.stringify({ type: 'state', state: this.#state, epoch: 1, viewers: this.#viewers.size }));
    this.#cache.forEach((sent) => viewer.send(this.#encode(sent, true)));
  }

  #turnAway(viewer: WebSocket): void {
    if (this.#refusal !== null) {
      viewer.send(JSON.stringify({ type: 'error', ...this.#refusal }));
      viewer.close(PEER_ERRORS[this.#refusal.code].close, this.#refusal.message);
    }
  }

  #listen(viewer: WebSocket, message: Record<string, unknown>): void {
    if (message['type'] === 'clock') {
      const now = performance.timeOrigin + performance.now() + this.#aheadMs;
      viewer.send(JSON.stringify({ type: 'clock', t0: message['t0'], t1: now, t2: now }));
    } else if (message['type'] === 'report') {
      this.reports.push(message);
    }
  }

  #track(id: number, kind: 'video' | 'audio', config: TrackConfig): object {
    const latencyKind = this.#options.captureAgeMs === null ? 'ingest' : 'glass';
    const encoder = this.#options.encoder ?? 'publisher';
    return {
      type: 'track',
      id,
      name: kind,
      kind,
      rendition: 'source',
      encoder,
      latencyKind,
      config: trackConfigToWire(config),
    };
  }

  #broadcast(message: string | Uint8Array): void {
    this.#viewers.forEach((viewer) => viewer.send(message));
  }

  // Sends everything that is due and sleeps until the next unit is.
  #next(): void {
    const elapsedUs = (): number => (Date.now() - this.#startedAt) * 1000;
    for (;;) {
      const entry = this.#schedule[this.#position];
      if (entry === undefined) {
        this.#position = 0;
        this.#loop += 1;
        continue;
      }
      const offsetUs = this.#loop * this.#clip.durationUs;
      const jitterUs = (this.#options.jitterMs?.(this.#position) ?? 0) * 1000;
      const dueUs = Math.max(entry.unit.dtsUs, 0) + offsetUs + jitterUs;
      if (dueUs > elapsedUs()) {
        this.#timer = setTimeout(() => this.#next(), Math.max(1, (dueUs - elapsedUs()) / 1000));
        return;
      }
      this.#position += 1;
      this.#send(entry, offsetUs);
    }
  }

  #send(entry: Scheduled, offsetUs: number): void {
    if (entry.kind === 'video' && entry.unit.isKey) {
      this.#group += 1;
      this.#objectInGroup = 0;
      this.#cache = [];
    }
    const object = entry.kind === 'video' ? this.#objectInGroup++ : this.#audioObject++;
    const { ptsUs, dtsUs } = entry.unit;
    const sent = {
      ...entry,
      ptsUs: ptsUs + offsetUs,
      dtsUs: dtsUs + offsetUs,
      group: this.#group,
      object,
      at: Date.now(),
    };
    if (entry.kind === 'video') {
      this.#cache.push(sent);
    }
    if (!this.#isMuted) {
      this.#broadcast(this.#encode(sent, false));
    }
  }

  #encode(sent: Sent, isCached: boolean): Uint8Array {
    const captureMs = this.captureTimeMs(sent.ptsUs) + this.#aheadMs;
    const captureTime = { captureTime: microseconds(Math.round(captureMs * 1000)) };
    return encodeObject(
      {
        kind: sent.kind,
        trackId: sent.kind === 'video' ? VIDEO_ID : AUDIO_ID,
        priority: sent.unit.isKey && sent.kind === 'video' ? 'key' : 'reference',
        isCached,
        temporalLayer: 0,
        group: sent.group,
        object: sent.object,
        pts: microseconds(sent.ptsUs),
        dts: microseconds(sent.dtsUs),
        arrivalTime: microseconds(Math.round((sent.at + this.#aheadMs) * 1000)),
        ...(this.#options.captureAgeMs === null ? {} : captureTime),
      },
      sent.unit.data,
    );
  }
}
