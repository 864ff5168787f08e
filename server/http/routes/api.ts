// /api/v1: streams, their health, events of any source, and the OpenAPI description of it all.

import type { FastifyInstance } from 'fastify';
import { HttpError, ProtocolError } from '../../../shared/errors.ts';
import type { Limits } from '../../../shared/config/limits.ts';
import { parseStreamId, type StreamId } from '../../../shared/media/brands.ts';
import { parseDataLines } from '../../../shared/telemetry/data-lines.ts';
import type { Access } from '../access.ts';
import type { HttpParts, OperatorGuard } from '../http-parts.ts';
import { openApi } from '../open-api.ts';

const MAX_EVENT_LINES = 1000;
/** Without `from` and `step`: the last hour in points of ten seconds. */
const HISTORY_MS = 3_600_000;
const HISTORY_STEP_MS = 10_000;

type StreamParams = { Params: { stream: string } };

function streamIdOf(text: string): StreamId {
  const id = parseStreamId(text);
  if (id === null) {
    throw new ProtocolError('malformed', 'A stream name has 1 to 64 letters, digits, "-" or "_".');
  }
  return id;
}

/** The publish key of a request: `Authorization: Bearer KEY`, or `?key=`. */
function keyOf(request: { readonly headers: { authorization?: string | undefined }; readonly url: string }): string {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '');
  return bearer?.[1] ?? new URLSearchParams(request.url.split('?', 2)[1] ?? '').get('key') ?? '';
}

export function apiRoutes(
  app: FastifyInstance,
  options: {
    readonly parts: HttpParts;
    readonly access: Access;
    readonly limits: Limits;
    readonly guard: OperatorGuard;
  },
): void {
  const { parts, access, limits, guard } = options;

  app.get('/api/v1/openapi.json', () => openApi());

  app.get('/api/v1/streams', (request) => {
    const streams = parts.streams.statuses();
    if (access.isOperator(request.raw)) {
      return { streams };
    }
    // Addresses of publishers are for operators.
    return {
      streams: streams.map((status) => ({
        ...status,
        publisher: status.publisher === null ? null : { protocol: status.publisher.protocol },
      })),
    };
  });

  app.get('/api/v1/server', { onRequest: guard }, () => parts.server);

  app.get<StreamParams>('/api/v1/streams/:stream/health', (request) => {
    const stream = streamIdOf(request.params.stream);
    const health = parts.health(stream);
    if (health.status === 'unknown' && !parts.streams.statuses().some(({ id }) => id === stream)) {
      throw new ProtocolError('no-such-stream', `There is no stream ${stream}.`);
    }
    return health;
  });

  app.get<StreamParams>('/api/v1/streams/:stream/history', { onRequest: guard }, (request) => {
    const query = new URLSearchParams(request.url.split('?', 2)[1] ?? '');
    const number = (name: string, standard: number): number => {
      const value = Number(query.get(name) ?? standard);
      if (!Number.isFinite(value)) {
        throw new ProtocolError('malformed', `"${name}" is a number of milliseconds.`);
      }
      return value;
    };
    const to = number('to', Date.now());
    const range = { from: number('from', to - HISTORY_MS), to, step: number('step', HISTORY_STEP_MS) };
    try {
      return parts.history(streamIdOf(request.params.stream), range);
    } catch (error) {
      throw error instanceof RangeError ? new ProtocolError('malformed', error.message) : error;
    }
  });

  app.post<StreamParams & { Body: string }>(
    '/api/v1/events/:stream',
    { bodyLimit: limits.eventBytes },
    (request, reply) => {
      if (!access.isOriginAllowed(request.raw)) {
        throw new HttpError('wrong-origin', 'Pages of this origin may not send events.');
      }
      const stream = streamIdOf(request.params.stream);
      parts.checkKey(stream, keyOf(request));
      const events = parseDataLines(request.body, stream, MAX_EVENT_LINES);
      for (const event of events) {
        parts.report(event);
      }
      return reply.code(202).send({ accepted: events.length });
    },
  );
}
