// /healthz and /readyz for whoever supervises the process, /metrics for operators.

import type { FastifyInstance } from 'fastify';
import { HttpError } from '../../../shared/errors.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { HttpParts, OperatorGuard } from '../http-parts.ts';

export function probeRoutes(app: FastifyInstance, parts: HttpParts, metrics: Metrics, guard: OperatorGuard): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', () => {
    const reason = parts.notReady();
    if (reason !== null) {
      throw new HttpError('not-ready', reason);
    }
    return { status: 'ready' };
  });
  app.get('/metrics', { onRequest: guard }, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
