// A made-up stream as the rooms would report it: frame batches every 250 ms, viewer reports every second, on a fake clock.

import type { FakeClock } from './fake-clock.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';

/** What the feed does now; tests change it while it runs. */
export type FeedShape = {
  fps: number;
  kbps: number;
  keyframeEvery: number;
  /** Share of frames that the publisher loses. */
  loss: number;
  isSilent: boolean;
  latencyMs: number | null;
  encodeMs: number | null;
  stalledShare: number;
};

export class StreamFeed {
  readonly shape: FeedShape = {
    fps: 30,
    kbps: 3000,
    keyframeEvery: 60,
    loss: 0,
    isSilent: false,
    latencyMs: 120,
    encodeMs: null,
    stalledShare: 0,
  };
  frames = 0;
  bytes = 0;
  private readonly clock: FakeClock;
  private readonly reporter: Reporter;
  private readonly stream: string;
  private nextFrameAt: number;
  private index = 0;
  private seed = 7;
  private readonly stops: (() => void)[];

  constructor(clock: FakeClock, reporter: Reporter, stream: string) {
    this.clock = clock;
    this.reporter = reporter;
    this.stream = stream;
    this.nextFrameAt = clock.epochMs();
    this.session('publish-start');
    this.stops = [clock.every(250, () => this.batch()), clock.every(1000, () => this.report())];
  }

  end(): void {
    this.stops.forEach((stop) => stop());
    this.session('publish-end');
    this.session('stream-end');
  }

  private session(type: 'publish-start' | 'publish-end' | 'stream-end'): void {
    this.reporter.report({ type, topic: 'session', stream: this.stream, ts: this.clock.epochMs(), session: 'p' });
  }

  private random(): number {
    this.seed = (this.seed * 1103515245 + 12345) % 2147483648;
    return this.seed / 2147483648;
  }

  private batch(): void {
    const { fps, kbps, keyframeEvery, loss, isSilent, encodeMs } = this.shape;
    const now = this.clock.epochMs();
    const rows: { at: number; pts: number; bytes: number; key: number }[] = [];
    for (; this.nextFrameAt < now; this.nextFrameAt += 1000 / fps) {
      const key = this.index % keyframeEvery === 0 ? 1 : 0;
      const mean = (kbps * 125) / fps;
      const bytes = Math.round(mean * (key === 1 ? 4 : (keyframeEvery - 4) / (keyframeEvery - 1)));
      const pts = (this.index++ * 1000) / fps;
      if (!isSilent && (key === 1 || this.random() >= loss)) {
        rows.push({ at: this.nextFrameAt, pts, bytes, key });
      }
    }
    const first = rows[0];
    if (first === undefined) {
      return;
    }
    rows.forEach(({ bytes }) => {
      this.frames++;
      this.bytes += bytes;
    });
    const ts = Math.floor(first.at);
    this.reporter.report({
      type: 'frames',
      topic: 'ingest',
      stream: this.stream,
      track: 'source',
      ts,
      arrivalMs: rows.map(({ at }) => at - ts),
      ptsMs: rows.map(({ pts }) => pts),
      bytes: rows.map(({ bytes }) => bytes),
      key: rows.map(({ key }) => key),
      ...(encodeMs === null ? {} : { encodeMs: rows.map(() => encodeMs) }),
    });
  }

  private report(): void {
    const { latencyMs, stalledShare } = this.shape;
    if (latencyMs === null) {
      return;
    }
    this.reporter.report({
      type: 'viewer-report',
      topic: 'viewer',
      stream: this.stream,
      ts: this.clock.epochMs(),
      session: 'viewer-1',
      rendition: 'source',
      intervalMs: 1000,
      painted: 30,
      dropped: 0,
      decodeErrors: 0,
      stalls: stalledShare > 0 ? 1 : 0,
      stalledMs: stalledShare * 1000,
      bufferMs: 100,
      latencyKind: 'glass',
      latencyMs: Array.from({ length: 20 }, (_, i) => latencyMs + i),
    });
  }
}
