// Streams without sockets: access units made by hand, a registry on a fake clock, a sink and a rendition provider that record.

import { configSchema } from '../../shared/config/config-schema.ts';
import type { Limits } from '../../shared/config/limits.ts';
import type { AccessUnit, Priority, TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import { BT709_LIMITED } from '../../shared/media/colour.ts';
import { microseconds } from '../../shared/media/time.ts';
import type { TelemetryEvent } from '../../shared/telemetry/events.ts';
import { silentLogger } from '../../server/platform/logger.ts';
import { createMetrics, type Metrics } from '../../server/platform/metrics.ts';
import { createKeyCheck } from '../../server/streams/publish-keys.ts';
import type {
  PublishRequest,
  RenditionDescription,
  RenditionProvider,
  RenditionSink,
  StreamTrack,
  TrackSink,
} from '../../server/streams/roles.ts';
import { StreamRegistry } from '../../server/streams/stream-registry.ts';
import { FakeClock } from './fake-clock.ts';

export const videoConfig = (overrides: Partial<VideoTrackConfig> = {}): VideoTrackConfig => ({
  kind: 'video',
  codec: 'avc1.42c01f',
  description: Uint8Array.of(1, 0x42, 0xc0, 0x1f, 0xff),
  width: 1280,
  height: 720,
  sampleAspect: [1, 1],
  colour: BT709_LIMITED,
  fps: 30,
  ...overrides,
});

export const audioConfig: TrackConfig = {
  kind: 'audio',
  codec: 'mp4a.40.2',
  description: Uint8Array.of(0x11, 0x90),
  sampleRate: 48_000,
  channels: 2,
};

/** A unit at `ms` on the publisher's clock. */
export function unit(
  ms: number,
  priority: Priority = 'reference',
  options: {
    readonly bytes?: number;
    readonly arrivalMs?: number;
    readonly captureMs?: number;
    readonly ptsMs?: number;
  } = {},
): AccessUnit {
  return {
    priority,
    pts: microseconds((options.ptsMs ?? ms) * 1000),
    dts: microseconds(ms * 1000),
    data: new Uint8Array(options.bytes ?? 100).fill(ms & 0xff),
    arrivalTime: microseconds((options.arrivalMs ?? ms) * 1000),
    ...(options.captureMs === undefined ? {} : { captureTime: microseconds(options.captureMs * 1000) }),
  };
}

/** Writes down what reaches it: `config 1280`, `12* key` (`*` = cached), `end`. */
export class RecordingSink implements TrackSink {
  readonly units: { readonly unit: AccessUnit; readonly group: number; readonly isCached: boolean }[] = [];
  readonly log: string[] = [];

  onConfig(config: TrackConfig): void {
    this.log.push(`config ${config.kind === 'video' ? config.width : config.sampleRate}`);
  }

  onUnit(delivered: AccessUnit, group: number, isCached: boolean): void {
    this.units.push({ unit: delivered, group, isCached });
    this.log.push(
      `${group}:${delivered.dts / 1000}${isCached ? '*' : ''}${delivered.priority === 'key' ? ' key' : ''}`,
    );
  }

  onEnd(): void {
    this.log.push('end');
  }
}

/** A rendition that a test drives by hand. */
export type StartedRendition = {
  readonly description: RenditionDescription;
  readonly source: StreamTrack;
  readonly sink: RenditionSink;
  keyframes: number;
  stopped: boolean;
};

/** Offers the given renditions and records what is started. */
export class FakeProvider implements RenditionProvider {
  offered: readonly RenditionDescription[];
  reason: string | undefined;
  readonly started: StartedRendition[] = [];

  constructor(...offered: readonly RenditionDescription[]) {
    this.offered = offered;
  }

  offer(): { readonly renditions: readonly RenditionDescription[]; readonly reason?: string } {
    return { renditions: this.offered, ...(this.reason === undefined ? {} : { reason: this.reason }) };
  }

  start(_stream: StreamId, source: StreamTrack, description: RenditionDescription, sink: RenditionSink) {
    const entry: StartedRendition = { description, source, sink, keyframes: 0, stopped: false };
    this.started.push(entry);
    return {
      requestKeyframe: () => {
        entry.keyframes++;
      },
      stop: () => {
        entry.stopped = true;
      },
    };
  }
}

export const rendition720: RenditionDescription = { name: '720p', width: 1280, height: 720, fps: 30, kbps: 2500 };
export const rendition360: RenditionDescription = { name: '360p', width: 640, height: 360, fps: 30, kbps: 800 };

export const defaultLimits: Limits = configSchema.parse({}).limits;

export const KEY = 'the-right-key';
export const STREAM = 'studio-1' as StreamId;

export type Room = {
  readonly clock: FakeClock;
  readonly registry: StreamRegistry;
  readonly metrics: Metrics;
  readonly events: TelemetryEvent[];
};

/** A registry on a fake clock whose events are kept. Keys: `the-right-key` everywhere, `other-key` everywhere. */
export function streamRoom(
  options: { readonly limits?: Partial<Limits>; readonly renditions?: RenditionProvider } = {},
): Room {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const events: TelemetryEvent[] = [];
  const registry = new StreamRegistry({
    limits: { ...defaultLimits, ...options.limits },
    clock,
    metrics,
    logger: silentLogger,
    reporter: { report: (event) => void events.push(event) },
    keys: createKeyCheck('keys', [
      { key: KEY, streams: ['*'] },
      { key: 'other-key', streams: ['*'] },
      { key: 'only-b', streams: ['b'] },
    ]),
    ...(options.renditions === undefined ? {} : { renditions: options.renditions }),
  });
  return { clock, registry, metrics, events };
}

/** A request that records its revocation. */
export function request(overrides: Partial<PublishRequest> = {}): PublishRequest & { readonly revoked: string[] } {
  const revoked: string[] = [];
  return {
    streamId: STREAM,
    key: KEY,
    protocol: 'websocket',
    onRevoked: (code) => void revoked.push(code),
    ...overrides,
    revoked,
  };
}
