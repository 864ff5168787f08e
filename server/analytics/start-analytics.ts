// The door of analytics: starts the window jobs, the health rules and, in a process that answers the API, the feed of its read models.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Subscription, TelemetryLog } from '../telemetry/telemetry-log.ts';
import { WebhookSender, type Webhook } from './alerts/webhook-sender.ts';
import type { HealthSettings } from './health/evaluator.ts';
import { HealthRunner, type Alert } from './health-runner.ts';
import { startReadModelFeed, type ReadModels } from './read-model-feed.ts';
import { loadStreamJobs } from './stream-job.ts';
import { ThreadMachineHost } from './threads/thread-machine-host.ts';
import { WindowRunner, type RunnerCounters } from './window-runner.ts';

export type AnalyticsOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of this process, as the reporter has it. */
  readonly node: string;
  /** Given where the API is answered. */
  readonly readModels?: ReadModels;
  readonly metrics?: Metrics;
  /** Worker threads for the window jobs; 0 or absent: this thread. */
  readonly threads?: number;
  /** Modules of users' jobs. */
  readonly jobPaths?: readonly string[];
  /** `feed`: the window jobs and health rules run in another process, here only read models are kept. Default `all`. */
  readonly part?: 'all' | 'feed';
  /** Objectives and limits of the operator. */
  readonly health?: HealthSettings;
  readonly webhooks?: readonly Webhook[];
  /** Told when an issue opens or closes, beside the webhooks. */
  readonly onAlert?: (alert: Alert) => void;
  /** Resolves before the log is followed: joining groups takes seconds on a busy broker, and media must not wait for it. */
  readonly joinsLater?: boolean;
};

export type Analytics = {
  counters(): RunnerCounters;
  /** Writes the last checkpoints and leaves the groups. */
  close(): Promise<void>;
};

/** Starts analytics; resolves when it follows the log. Rejects with one sentence when a job module does not fit. */
export async function startAnalytics(options: AnalyticsOptions): Promise<Analytics> {
  const { log, logger, node, readModels, metrics } = options;
  const windows = new WindowRunner(await runnerOptions(options));
  const { health, webhooks } = alertingHealth(options);
  let feed: Subscription | null = null;
  const follow = async (): Promise<void> => {
    await log.ready?.();
    feed = readModels === undefined ? null : await startReadModelFeed({ log, readModels, logger, node });
    if (options.part !== 'feed') {
      await Promise.all([health.start(), windows.start()]);
    }
  };
  const following = follow();
  if (options.joinsLater === true) {
    following.catch((error: unknown) => {
      logger.error({ err: error }, 'the telemetry log cannot be followed: health stays unknown');
    });
  } else {
    await following;
  }
  if (metrics !== undefined) {
    declareMetrics(metrics, windows, health);
  }
  return {
    counters: () => windows.counters(),
    close: async () => {
      await Promise.all([windows.close(), health.close(), feed?.close()]);
      webhooks.close();
    },
  };
}

/** The health rules, whose alerts go to the webhooks. */
function alertingHealth({
  log,
  clock,
  logger,
  metrics,
  health: settings,
  webhooks: configured = [],
  onAlert,
}: AnalyticsOptions) {
  const webhooks = new WebhookSender({
    webhooks: configured,
    clock,
    logger,
    ...(metrics === undefined ? {} : { metrics }),
  });
  const health = new HealthRunner({
    log,
    clock,
    logger,
    ...(settings === undefined ? {} : { settings }),
    onAlert: (alert) => {
      webhooks.send(alert);
      onAlert?.(alert);
    },
  });
  return { health, webhooks };
}

async function runnerOptions({ log, clock, logger, node, metrics, threads = 0, jobPaths = [] }: AnalyticsOptions) {
  const delays = metrics?.histogram(
    'analytics_window_delay_seconds',
    'From the end of a window to its result in the log',
    [0.5, 1, 1.5, 2, 3, 5, 10, 30, 60],
  );
  const partitionsOf = (topic: Topic): number => log.partitions(topic);
  return {
    log,
    clock,
    logger,
    owner: node,
    onWindow: (ms: number) => delays?.observe(ms / 1000),
    jobs: await loadStreamJobs(jobPaths),
    ...(threads === 0 ? {} : { makeHost: () => new ThreadMachineHost({ threads, jobPaths, partitionsOf }) }),
  };
}

function declareMetrics(metrics: Metrics, windows: WindowRunner, health: HealthRunner): void {
  const gauges: readonly (readonly [name: string, help: string, pick: (counters: RunnerCounters) => number])[] = [
    ['analytics_records', 'Telemetry records taken by the window jobs', ({ records }) => records],
    [
      'analytics_duplicates',
      'Telemetry records that arrived twice and were counted once',
      ({ duplicates }) => duplicates,
    ],
    ['analytics_missing', 'Telemetry records known to be missing', ({ missing }) => missing],
    ['analytics_late', 'Telemetry records that came after their windows had closed', ({ late }) => late],
    ['analytics_bad', 'Telemetry records sent to the dead-letter topic', ({ bad }) => bad],
    ['analytics_windows', 'Window results appended', (counters) => counters.windows],
    ['analytics_partitions', 'Partitions owned by this process', ({ partitions }) => partitions],
    ['analytics_checkpoints', 'Checkpoints written', ({ checkpoints }) => checkpoints],
    ['analytics_restarts', 'Times that window jobs were lost with their thread', ({ restarts }) => restarts],
  ];
  for (const [name, help, pick] of gauges) {
    metrics.observe(name, help, () => pick(windows.counters()));
  }
  metrics.observe('health_issues_opened', 'Health issues opened since the start', () =>
    [...health.opened.values()].reduce((sum, n) => sum + n, 0),
  );
}
