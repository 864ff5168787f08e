// The composition root of role `analytics`: the window jobs and health rules of a Kafka cluster in a process of its own. Streams are
// elsewhere; here are only `/healthz`, `/readyz` and `/metrics`. Several such processes share the partitions.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../../shared/config/config-schema.ts';
import { startAnalytics, type Analytics } from '../analytics/start-analytics.ts';
import { Access } from '../http/access.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { loadSecrets } from '../platform/secrets.ts';
import { stopInSteps } from '../platform/stop-steps.ts';
import { startTelemetry } from '../telemetry/start-telemetry.ts';
import { analyticsSettings } from './analytics-settings.ts';

/** Last checkpoints, and a group to leave. */
const JOBS_MS = 5000;
const HTTP_MS = 500;

/** An analytics process at work. */
export type RunningAnalytics = {
  readonly http: string;
  readonly operatorToken: string;
  readonly telemetry: string;
  /** Writes the last checkpoints, leaves the groups and stops, within 8.5 s. Resolves with the names of the stages left behind. */
  stop(): Promise<readonly string[]>;
};

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

function makeServer(access: Access, metrics: Metrics, isReady: () => boolean): Server {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz':
        answer(response, 200, 'ok\n');
        return;
      case '/readyz':
        answer(response, isReady() ? 200 : 503, isReady() ? 'ready\n' : 'The analytics process is shutting down.\n');
        return;
      case '/metrics':
        if (access.isOperator(request)) {
          answer(response, 200, await metrics.registry.metrics(), metrics.registry.contentType);
        } else {
          answer(response, 401, 'Metrics are for operators.\n');
        }
        return;
      default:
        answer(response, 404, 'This process runs analytics only.\n');
    }
  };
  return createServer((request, response) => {
    handle(request, response).catch(() => {
      response.destroy();
    });
  });
}

async function listen(server: Server, { host, port }: Config['http']): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${taken}`;
}

/** Joins the analytics group of the configured brokers. Rejects with one sentence when that cannot be done. */
export async function startAnalyticsRole(
  config: Config,
  { logger }: { readonly logger: Logger },
): Promise<RunningAnalytics> {
  const metrics = createMetrics({ withProcess: true });
  const { operatorToken } = await loadSecrets(config);
  const telemetry = await startTelemetry({ config, clock: systemClock, logger, metrics });
  const { log, node } = telemetry;
  let analytics: Analytics | null = null;
  let isReady = true;
  const { trustedProxies, allowedOrigins } = config.http;
  const server = makeServer(new Access({ trustedProxies, allowedOrigins, operatorToken }), metrics, () => isReady);
  const stop = (): Promise<readonly string[]> => {
    isReady = false;
    const closeServer = (): Promise<unknown> => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    };
    const steps = [
      [{ name: 'the window jobs', withinMs: JOBS_MS, run: () => analytics?.close() }],
      ...telemetry.stopSteps,
      [{ name: 'the HTTP door', withinMs: HTTP_MS, run: closeServer }],
    ];
    return stopInSteps(steps, { clock: systemClock, logger });
  };
  try {
    analytics = await startAnalytics({
      log,
      clock: systemClock,
      logger,
      node,
      metrics,
      ...analyticsSettings(config),
    });
    const http = await listen(server, config.http);
    return { http, operatorToken, telemetry: log.description, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
