// /api/v1/capacity: what the telemetry log carries now, for operators.

import type { FastifyInstance } from 'fastify';
import type { HttpParts, OperatorGuard } from '../http-parts.ts';

export function capacityRoutes(
  app: FastifyInstance,
  { parts, guard }: { readonly parts: Pick<HttpParts, 'capacity'>; readonly guard: OperatorGuard },
): void {
  app.get('/api/v1/capacity', { onRequest: guard }, () => parts.capacity());
}
