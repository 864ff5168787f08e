// The composition root of role `all`: one process with ingest, streams, transcode, delivery, telemetry and the HTTP door.
// Knows every part; no part knows it. Called by `tessera serve` and by integration tests.

import { fileURLToPath } from 'node:url';
import type { Config } from '../../shared/config/config-schema.ts';
import type { PeerErrorCode } from '../../shared/errors.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import { ChannelSet } from '../delivery/channel-set.ts';
import { createDeliveryCounters, type DeliveryContext } from '../delivery/delivery-context.ts';
import { FlvDelivery } from '../delivery/flv-delivery.ts';
import { ViewerLimits } from '../delivery/viewer-limits.ts';
import { WebSocketDelivery } from '../delivery/websocket-delivery.ts';
import { DemoStream } from '../demo/demo-stream.ts';
import type { HttpParts } from '../http/http-parts.ts';
import { HttpServer } from '../http/http-server.ts';
import { RtmpIngest } from '../ingest/rtmp/rtmp-ingest.ts';
import { describeVideo } from '../ingest/video-description/video-description.ts';
import { WebSocketIngest } from '../ingest/websocket/websocket-ingest.ts';
import { AddressGate } from '../platform/address-gate.ts';
import { EventBudget } from '../platform/event-budget.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { loadSecrets, randomSecret, type Secrets } from '../platform/secrets.ts';
import { stopInSteps, type StopStep } from '../platform/stop-steps.ts';
import { createKeyCheck } from '../streams/publish-keys.ts';
import { StreamRegistry } from '../streams/stream-registry.ts';
import { OpusToAac } from '../transcode/ffmpeg/opus-to-aac.ts';
import { Transcoder } from '../transcode/transcoder.ts';
import { rtmpEvents } from './rtmp-events.ts';
import { openTelemetry, type TelemetryPart } from './telemetry-part.ts';

const DEMO_STREAM = 'demo' as StreamId;
/** Best first: the first that needs no more than half of the CPU that renditions may use. */
const DEMO_SIZES = [
  { width: 1280, height: 720 },
  { width: 640, height: 360 },
] as const;
const DEMO_FPS = 30;
/** After the goodbyes, how long peers have to take them. */
const GOODBYE_MS = 500;
/** Stages of the stop; with those of telemetry 9 s in all. */
const PEERS_MS = 3000;
const HTTP_MS = 1000;
const WORKERS_MS = 2500;

/** A server that listens. */
export type RunningServer = {
  readonly http: string;
  /** Null when switched off. */
  readonly rtmp: string | null;
  readonly publishKey: string;
  readonly operatorToken: string;
  readonly telemetry: string;
  readonly metrics: Metrics;
  /** The window jobs; for tests, which stop them. */
  readonly analytics: TelemetryPart['analytics'];
  /**
   * Tells publishers and viewers, keeps what telemetry waits, and stops listening; within 9 s, whatever hangs. Resolves with the names of
   * the stages that were left behind; never rejects.
   */
  stop(): Promise<readonly string[]>;
};

export type StartOptions = {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Starts a transcode worker ahead of the first viewer. */
  readonly prewarm?: boolean;
};

const pagesFolder = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/pages' : '../../pages', import.meta.url));

function demoKeys(
  config: Config,
  secrets: Secrets,
): { readonly keys: Secrets['publishKeys']; readonly demoKey: string } {
  const demoKey = randomSecret(); // known to nobody else
  return {
    demoKey,
    keys: config.demo ? [...secrets.publishKeys, { key: demoKey, streams: [DEMO_STREAM] }] : secrets.publishKeys,
  };
}

/** What has no door: streams and what they need. */
async function openCore(config: Config, options: StartOptions) {
  const { logger } = options;
  const clock = options.clock ?? systemClock;
  const metrics = createMetrics({ withProcess: true });
  const secrets = await loadSecrets(config);
  const { keys, demoKey } = demoKeys(config, secrets);
  const telemetry = await openTelemetry({ config, clock, logger, metrics });
  const { reporter } = telemetry;
  const { ladder, maxCpu } = config.transcode;
  const { limits } = config;
  const { decodeBudgetMs } = limits;
  const { pictureCpu } = config.health;
  const transcoder = new Transcoder({ ladder, maxCpu, decodeBudgetMs, pictureCpu, logger, reporter, metrics });
  const checkKey = createKeyCheck(config.auth.publish, keys);
  const registry = new StreamRegistry({
    limits,
    clock,
    logger,
    reporter,
    metrics,
    keys: checkKey,
    renditions: transcoder,
    watcher: transcoder,
  });
  return {
    config,
    limits,
    logger,
    clock,
    metrics,
    secrets,
    demoKey,
    telemetry,
    reporter,
    transcoder,
    checkKey,
    registry,
  };
}

type Core = Awaited<ReturnType<typeof openCore>>;

/** Who watches. */
function openDelivery({ registry, limits, clock, logger, reporter, metrics }: Core) {
  const context: DeliveryContext = {
    registry,
    limits,
    clock,
    logger,
    reporter,
    counters: createDeliveryCounters(metrics),
    aac: new OpusToAac(logger),
  };
  const channels = new ChannelSet(context);
  const viewerLimits = new ViewerLimits(limits);
  return {
    channels,
    viewers: new WebSocketDelivery(context, channels, viewerLimits),
    flv: new FlvDelivery(context, channels, viewerLimits),
  };
}

type Delivery = ReturnType<typeof openDelivery>;

/** Who publishes, and the HTTP door for everybody. */
function openDoors(core: Core, { viewers, flv }: Delivery, notReady: () => string | null) {
  const { config, limits, logger, clock, metrics, secrets, telemetry, reporter, checkKey, registry } = core;
  const gate = new AddressGate(limits.connectionsPerIp);
  const refused = (code: PeerErrorCode, stream: string): void => {
    registry.refused(code, 'websocket', stream);
  };
  const budget = new EventBudget(limits.eventsPerSecond);
  metrics.observe('events_refused', 'Events of other sources beyond limits.eventsPerSecond.', () => budget.refused);
  const takeEvents = (stream: string, count: number): boolean => budget.take(stream, count, clock.monotonicMs());
  const admission = registry;
  const publishers = new WebSocketIngest({ admission, limits, clock, logger, reporter, refused, takeEvents }, gate);
  const rtmp = openRtmp(core);
  const parts: HttpParts = {
    publish: (peer, stream) => {
      publishers.accept(peer, stream);
    },
    subscribe: (peer, stream) => {
      viewers.accept(peer, stream);
    },
    liveWebSocket: (peer, stream) => {
      flv.accept(peer, stream);
    },
    live: flv,
    streams: registry,
    health: (stream) => telemetry.health.get(stream, clock.epochMs()),
    history: (stream, range) => telemetry.history.query(stream, range),
    server: {
      startedAt: Math.round(clock.epochMs()),
      node: process.version,
      get telemetry() {
        return telemetry.description;
      },
    },
    ingest: () => ({ rtmpPort: rtmp?.port ?? null }),
    capacity: () => telemetry.capacity.report(),
    hasHistory: (stream) => telemetry.history.has(stream),
    data: (stream, range) => telemetry.data.query(stream, range),
    takeEvents,
    epochMs: () => Math.round(clock.epochMs()),
    checkKey,
    report: (event) => {
      reporter.report(event);
    },
    refused: (code) => {
      registry.refused(code, 'http');
    },
    notReady,
  };
  const { operatorToken } = secrets;
  const http = new HttpServer({ config, operatorToken, metrics, logger, gate, pages: pagesFolder(), parts });
  return { publishers, http, rtmp };
}

function openRtmp({ config, limits, registry, metrics, reporter, clock, logger }: Core): RtmpIngest | null {
  const { host, port } = config.rtmp;
  if (port === 'off') {
    return null;
  }
  return new RtmpIngest({
    host,
    port,
    admission: registry,
    describeVideo,
    limits: {
      connections: limits.publishers + limits.connectionsPerIp,
      connectionsPerAddress: limits.connectionsPerIp,
      messageBytes: limits.publisherMessageBytes,
      handshakeMs: limits.handshakeMs,
      idleMs: limits.idlePublisherMs,
    },
    onEvent: rtmpEvents({ registry, metrics, reporter, clock, logger }),
  });
}

function startDemo({ config, registry, clock, logger, demoKey, transcoder }: Core): DemoStream | null {
  if (!config.demo) {
    return null;
  }
  const demo = new DemoStream({
    admission: registry,
    clock,
    logger,
    streamId: DEMO_STREAM,
    key: demoKey,
    size: transcoder.affordable(DEMO_SIZES, DEMO_FPS, 0.5),
    fps: DEMO_FPS,
  });
  demo.start();
  return demo;
}

/** Starts every part and resolves when all of them listen. Rejects with one sentence; what had started is stopped again. */
export async function startAll(config: Config, options: StartOptions): Promise<RunningServer> {
  const core = await openCore(config, options);
  const { registry, transcoder, telemetry, secrets, metrics } = core;
  let notReady: string | null = 'The server is starting.';
  const delivery = openDelivery(core);
  const { publishers, http, rtmp } = openDoors(core, delivery, () => notReady);
  let demo: DemoStream | null = null;
  const goodbyes = (): Promise<unknown> => {
    notReady = 'The server is shutting down.';
    demo?.stop();
    delivery.viewers.drain();
    delivery.flv.drain();
    publishers.close();
    registry.drain();
    return Promise.all([rtmp?.stop(), new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))]);
  };
  const closeDoor = (): Promise<void> => {
    delivery.channels.close();
    return http.stop();
  };
  const steps: readonly StopStep[] = [
    [{ name: 'publishers and viewers', withinMs: PEERS_MS, run: goodbyes }],
    [
      { name: 'the HTTP door', withinMs: HTTP_MS, run: closeDoor },
      { name: 'the transcode workers', withinMs: WORKERS_MS, run: () => transcoder.close() },
      telemetry.stopJobs,
    ],
    ...telemetry.stopSteps,
  ];
  const stop = (): Promise<readonly string[]> => stopInSteps(steps, core);
  try {
    const [httpAddress, rtmpPort] = await Promise.all([http.start(), rtmp?.start() ?? null]);
    notReady = null;
    if (options.prewarm === true) {
      transcoder.prewarm();
    }
    demo = startDemo(core);
    return {
      http: httpAddress,
      rtmp: rtmpPort === null ? null : `rtmp://${shownHost(config.rtmp.host)}:${rtmpPort}/live`,
      publishKey: secrets.publishKeys[0]?.key ?? '',
      operatorToken: secrets.operatorToken,
      telemetry: telemetry.description,
      analytics: telemetry.analytics,
      metrics,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A host that one can connect to. */
function shownHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
}
