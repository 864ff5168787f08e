// The way of telemetry with nothing made up, on a clock that tests move: coded pictures and sound into a stream, its tracks and their
// frame batches, key pictures decoded, the log, the windows, the rules, the read model.

import { startAnalytics, type Analytics } from '../../server/analytics/start-analytics.ts';
import type { Alert } from '../../server/analytics/health-runner.ts';
import type { HealthSettings } from '../../server/analytics/health/evaluator.ts';
import { silentLogger } from '../../server/platform/logger.ts';
import { clampReport } from '../../server/delivery/viewer-report.ts';
import { createMetrics } from '../../server/platform/metrics.ts';
import { DataWindowsReadModel } from '../../server/read-models/data-windows.ts';
import { HealthReadModel, type HealthReport } from '../../server/read-models/health.ts';
import { HistoryReadModel } from '../../server/read-models/history.ts';
import { createKeyCheck } from '../../server/streams/publish-keys.ts';
import type {
  PublisherSlot,
  RenditionDescription,
  RenditionProvider,
  RenditionSink,
  RunningRendition,
  StreamTrack,
} from '../../server/streams/roles.ts';
import { StreamRegistry } from '../../server/streams/stream-registry.ts';
import { MemoryTelemetryLog } from '../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../server/telemetry/reporter.ts';
import { KeyPictureDecoder } from '../../server/transcode/key-picture-decoder.ts';
import { KeyPictureProbe } from '../../server/transcode/key-picture-probe.ts';
import { productionCodecs } from '../../server/transcode/production-codecs.ts';
import { SourcePipeline } from '../../server/transcode/source-pipeline.ts';
import type { MeasuredPicture } from '../../server/transcode/worker-messages.ts';
import type { TrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import { microseconds } from '../../shared/media/time.ts';
import { FakeClock } from './fake-clock.ts';
import { defaultLimits } from './stream-room.ts';

/** One access unit or audio frame of a clip. */
type ClipUnit = { readonly isKey: boolean; readonly data: Uint8Array };
/** Units in order of decoding and presentation, `unitMs` apart, played round and round; the first is a key. */
export type Clip = { readonly config: TrackConfig; readonly unitMs: number; readonly units: readonly ClipUnit[] };

export class HealthScene {
  readonly clock = new FakeClock();
  readonly log = new MemoryTelemetryLog({ clock: this.clock, logger: silentLogger });
  readonly reporter = new LogReporter({ log: this.log, clock: this.clock, logger: silentLogger, node: 'n1' });
  readonly health = new HealthReadModel();
  readonly history = new HistoryReadModel();
  readonly alerts: Alert[] = [];
  readonly encoder = new InProcessTranscoder(this.clock, (stream, picture) => {
    this.reportPicture(stream, picture);
  });
  readonly registry: StreamRegistry;
  private readonly analytics: Promise<Analytics>;

  constructor(settings?: HealthSettings) {
    const { clock, log, health, history, reporter } = this;
    const decoder = new KeyPictureDecoder({
      codecs: productionCodecs,
      cpuNow: () => 0,
      onPhase: () => undefined,
      decodeBudgetMs: 10_000,
    });
    const probe = new KeyPictureProbe({
      executor: { measure: (picture) => Promise.resolve(decoder.measure(picture)), close: () => undefined },
      maxShare: 1,
      now: () => clock.monotonicMs(),
      isTranscoded: () => false,
      onPicture: (stream, picture) => {
        this.reportPicture(stream, picture);
      },
      onSkipped: () => undefined,
    });
    this.registry = new StreamRegistry({
      limits: defaultLimits,
      clock,
      logger: silentLogger,
      reporter,
      metrics: createMetrics(),
      keys: createKeyCheck('open', []),
      renditions: this.encoder,
      watcher: probe,
    });
    this.analytics = startAnalytics({
      log,
      clock,
      logger: silentLogger,
      node: 'n1',
      readModels: { health, history, data: new DataWindowsReadModel() },
      ...(settings === undefined ? {} : { health: settings }),
      onAlert: (alert) => this.alerts.push(alert),
    });
  }

  /** Lets time pass and everybody work; ends early when `isDone` says so. Returns the time that passed, ms. */
  async run(ms: number, isDone: () => boolean = () => false): Promise<number> {
    await this.analytics;
    for (let passed = 0; passed < ms; passed += 50) {
      if (isDone()) {
        return passed;
      }
      this.clock.advance(50);
      for (let i = 0; i < 4; i++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return ms;
  }

  report(stream: string): HealthReport {
    return this.health.get(stream, this.clock.epochMs());
  }

  /** Issues that opened on the stream, by type. */
  opened(stream: string): string[] {
    return this.alerts
      .filter((alert) => alert.stream === stream && alert.change === 'opened')
      .map(({ issue }) => issue.type);
  }

  async close(): Promise<void> {
    this.registry.drain();
    await (await this.analytics).close();
    await this.reporter.close(100);
    await this.log.close();
  }

  private reportPicture(stream: string, { arrivalTime, ...facts }: MeasuredPicture): void {
    const ts = Math.round(arrivalTime / 1000);
    this.reporter.report({ type: 'picture', topic: 'ingest', stream, ts, ...facts });
  }
}

/** A viewer that decodes the sound and reports every second, through the same door as a player's reports. */
export class ReportingListener {
  /** Share of its samples at full scale, 0..1. */
  clippedShare = 0;
  readonly stop: () => void;

  constructor({ clock, reporter }: HealthScene, stream: string) {
    const intervalMs = 1000;
    this.stop = clock.every(intervalMs, () => {
      const report: Parameters<typeof clampReport>[0] = {
        type: 'report',
        rendition: 'source',
        intervalMs,
        painted: 30,
        dropped: 0,
        decodeErrors: 0,
        stalls: 0,
        stalledMs: 0,
        bufferMs: 100,
        latencyKind: 'ingest',
        latencyMs: [150],
        clippedShare: this.clippedShare,
      };
      const known = { stream, session: 'listener', rendition: 'source', epochMs: clock.epochMs() };
      reporter.report(clampReport(report, { ...known, sinceLastMs: intervalMs }));
    });
  }
}

type Playing = { clip: Clip; index: number; stop: () => void };

/** Plays clips into a stream in the time of the scene's clock. What it plays and how can be changed while it runs. */
export class ClipPublisher {
  /** Every so many units that no other needs is lost on the way; 0: none. */
  lossEvery = 0;
  /** Capture times are this far ahead of the server's clock; null: the publisher tells none. */
  captureOffMs: number | null = null;
  /** Sound is told later than it belongs by this much. */
  audioDelayMs = 0;
  isSilent = false;
  private slot: PublisherSlot;
  private readonly scene: HealthScene;
  private readonly stream: string;
  private readonly playing = new Map<string, Playing>();
  private sent = 0;

  constructor(scene: HealthScene, stream: string) {
    this.scene = scene;
    this.stream = stream;
    this.slot = this.open();
  }

  /** Comes back after the server has given the publisher up. */
  reconnect(): void {
    this.slot = this.open();
    for (const [track, playing] of this.playing) {
      this.slot.setTrack(track, playing.clip.config);
      playing.index = Math.ceil(playing.index / playing.clip.units.length) * playing.clip.units.length;
    }
  }

  private open(): PublisherSlot {
    return this.scene.registry.open({
      streamId: this.stream as StreamId,
      key: 'key',
      protocol: 'websocket',
      onRevoked: () => undefined,
    });
  }

  /** Plays the clip on the track, from its next key unit on when it replaces another. */
  play(track: string, clip: Clip): void {
    const before = this.playing.get(track);
    if (before !== undefined) {
      before.clip = clip;
      before.index = Math.ceil(before.index / clip.units.length) * clip.units.length;
      this.slot.setTrack(track, clip.config);
      return;
    }
    this.slot.setTrack(track, clip.config);
    const { clock } = this.scene;
    const startedAt = clock.epochMs();
    let pts = 0;
    const playing: Playing = { clip, index: 0, stop: () => undefined };
    const next = (): void => {
      playing.stop = clock.after(Math.max(0, startedAt + pts - clock.epochMs()), () => {
        this.send(track, playing, pts);
        pts += playing.clip.unitMs;
        next();
      });
    };
    this.playing.set(track, playing);
    next();
  }

  stop(): void {
    for (const { stop } of this.playing.values()) {
      stop();
    }
    this.slot.close('finished');
  }

  private send(track: string, playing: Playing, ptsMs: number): void {
    const { clip } = playing;
    const unit = clip.units[playing.index++ % clip.units.length]!;
    this.sent++;
    if (this.isSilent || (this.lossEvery > 0 && !unit.isKey && this.sent % this.lossEvery === 0)) {
      return;
    }
    const now = this.scene.clock.epochMs();
    const shiftMs = clip.config.kind === 'audio' ? this.audioDelayMs : 0;
    const time = microseconds(Math.round((ptsMs + shiftMs) * 1000));
    if (this.captureOffMs !== null && Math.abs(this.captureOffMs) > 1000) {
      this.slot.reportClock?.(this.captureOffMs); // as the WebSocket ingest does with times that it leaves out
    }
    this.slot.push(track, {
      priority: unit.isKey ? 'key' : 'reference',
      pts: time,
      dts: time,
      data: unit.data,
      arrivalTime: microseconds(Math.round(now * 1000)),
    });
  }
}

/** Encodes in this thread. `encodingMs` is what an encoding takes on the worker's clock, which waits for nobody. */
class InProcessTranscoder implements RenditionProvider {
  encodingMs = 4;
  private readonly clock: FakeClock;
  private readonly onPicture: (stream: string, picture: MeasuredPicture) => void;

  constructor(clock: FakeClock, onPicture: (stream: string, picture: MeasuredPicture) => void) {
    this.clock = clock;
    this.onPicture = onPicture;
  }

  offer(): { readonly renditions: readonly RenditionDescription[] } {
    return { renditions: [] };
  }

  start(
    streamId: StreamId,
    source: StreamTrack,
    description: RenditionDescription,
    sink: RenditionSink,
  ): RunningRendition {
    let workerMs = this.clock.monotonicMs();
    let index = 0;
    let newest = 0;
    let pipeline: SourcePipeline | null = null;
    const host = {
      codecs: {
        ...productionCodecs,
        createEncoder: (...args: Parameters<typeof productionCodecs.createEncoder>) => {
          const encoder = productionCodecs.createEncoder(...args);
          const encode: typeof encoder.encode = (frame, options) => {
            workerMs += this.encodingMs;
            encoder.encode(frame, options);
          };
          return { ...encoder, encode };
        },
      },
      events: {
        onConfig: (_name: string, config: Parameters<RenditionSink['setConfig']>[0]) => {
          sink.setConfig(config);
        },
        onUnit: (_name: string, ...made: Parameters<RenditionSink['push']>) => {
          sink.push(...made);
        },
        onPicture: (picture: MeasuredPicture) => {
          this.onPicture(streamId, picture);
        },
        onDropped: () => undefined,
        onCost: () => undefined,
        onUnsupported: () => undefined,
        onDecoderDied: () => undefined,
      },
      now: () => workerMs,
      cpuNow: () => workerMs,
      newestIndex: () => newest,
      onPhase: () => undefined,
      decodeBudgetMs: 10_000,
      lateMs: 200,
      lanes: [],
    };
    const detach = source.attach({
      onConfig: (config) => {
        if (config.kind === 'video') {
          pipeline = new SourcePipeline({ config, decoder: { kind: 'raw' } }, host);
          pipeline.addRendition(description);
        }
      },
      onUnit: (unit) => {
        const queuedAt = this.clock.monotonicMs();
        workerMs = Math.max(workerMs, queuedAt);
        newest = ++index + Math.floor((workerMs - queuedAt) / 34); // those that come while this one waits
        pipeline?.push({ unit, isCatchUp: false, queuedAt, index });
      },
      onEnd: () => undefined,
    });
    return { requestKeyframe: () => undefined, stop: detach };
  }
}
