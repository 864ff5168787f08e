// POST /api/v1/cmcd: event reports of other players (CMCD version 2), as lines. `cid` names the stream, or `?stream=`.

import type { FastifyInstance } from 'fastify';
import type { Limits } from '../../../shared/config/limits.ts';
import { HttpError, ProtocolError } from '../../../shared/errors.ts';
import { parseStreamId } from '../../../shared/media/brands.ts';
import { parseCmcdReports } from '../../../shared/telemetry/cmcd.ts';
import type { Access } from '../access.ts';
import { CmcdSessions } from '../cmcd-sessions.ts';
import type { HttpParts } from '../http-parts.ts';

const MAX_REPORTS = 100;

export function cmcdRoute(
  app: FastifyInstance,
  { parts, access, limits }: { readonly parts: HttpParts; readonly access: Access; readonly limits: Limits },
): void {
  const sessions = new CmcdSessions();
  app.post<{ Body: string }>('/api/v1/cmcd', { bodyLimit: limits.eventBytes }, (request, reply) => {
    if (!access.isOriginAllowed(request.raw)) {
      throw new HttpError('wrong-origin', 'Players of this origin may not report.');
    }
    const known = new Set<string>(parts.streams.statuses().map(({ id }) => id));
    const asked = new URLSearchParams(request.url.split('?', 2)[1] ?? '').get('stream');
    const reports = parseCmcdReports(request.body, MAX_REPORTS);
    const address = access.clientAddress(request.raw);
    const events = reports.map((report) => {
      const stream = parseStreamId(report.cid ?? asked ?? '');
      if (stream === null || !known.has(stream)) {
        throw new ProtocolError('no-such-stream', 'A report names no stream of this server by cid or ?stream=.');
      }
      return sessions.take(report, { stream, address, nowMs: parts.epochMs() });
    });
    for (const event of events) {
      parts.report(event);
    }
    return reply.code(204).send();
  });
}
