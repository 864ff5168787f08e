// /api/v1: streams, their health, events of any source, and the OpenAPI description of it all.

import type { FastifyInstance } from 'fastify';
import { HttpError, ProtocolError } from '../../../shared/errors.ts';
import type { Limits } from '../../../shared/config/limits.ts';
import { parseStreamId, type StreamId } from '../../../shared/media/brands.ts';
import { parseDataLines } from '../../../shared/telemetry/data-lines.ts';
import type { Access } from '../access.ts';
import type { HttpParts, OperatorGuard } from '../http-parts.ts';
import { openApi } from '../open-api.ts';
import { cmcdRoute } from './cmcd.ts';

const MAX_EVENT_LINES = 1000;
/** Without `from` and `step`: the last hour in points of ten seconds. */
const HISTORY_MS = 3_600_000;
const HISTORY_STEP_MS = 10_000;

/** Without `from`: the last ten minutes of windows over events of other sources. */
const DATA_MS = 600_000;

type StreamParams = { Params: { stream: string } };

function streamIdOf(text: string): StreamId {
  const id = parseStreamId(text);
  if (id === null) {
    throw new ProtocolError('malformed', 'A stream name has 1 to 64 letters, digits, "-" or "_".');
  }
  return id;
}

const queryOf = (url: string): URLSearchParams => new URLSearchParams(url.split('?', 2)[1] ?? '');

/** A number of the query, or the standard where it is absent. Throws ProtocolError `malformed`. */
function numberOf(query: URLSearchParams, name: string, standard: number): number {
  const text = query.get(name);
  const value = text === null ? standard : text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) {
    throw new ProtocolError('malformed', `"${name}" is a number of milliseconds.`);
  }
  return value;
}

/** What the caller may not ask for becomes the caller's error. */
function refusingNonsense<Answer>(ask: () => Answer): Answer {
  try {
    return ask();
  } catch (error) {
    throw error instanceof RangeError ? new ProtocolError('malformed', error.message) : error;
  }
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
  const isKnown = (stream: string): boolean => parts.streams.statuses().some(({ id }) => id === stream);

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

  app.get('/api/v1/ingest', () => parts.ingest());

  app.get('/api/v1/server', { onRequest: guard }, () => parts.server);

  app.get<StreamParams>('/api/v1/streams/:stream/health', (request) => {
    const stream = streamIdOf(request.params.stream);
    const health = parts.health(stream);
    if (health.status === 'unknown' && !isKnown(stream)) {
      throw new ProtocolError('no-such-stream', `There is no stream ${stream}.`);
    }
    return health;
  });

  app.get<StreamParams>('/api/v1/streams/:stream/history', { onRequest: guard }, (request) => {
    const stream = streamIdOf(request.params.stream);
    if (!isKnown(stream) && !parts.hasHistory(stream)) {
      throw new ProtocolError('no-such-stream', `Nothing is known of a stream ${stream}.`);
    }
    const query = queryOf(request.url);
    const to = numberOf(query, 'to', parts.epochMs());
    const range = {
      from: numberOf(query, 'from', to - HISTORY_MS),
      to,
      step: numberOf(query, 'step', HISTORY_STEP_MS),
    };
    return refusingNonsense(() => parts.history(stream, range));
  });

  app.get<StreamParams>('/api/v1/streams/:stream/data', { onRequest: guard }, (request) => {
    const stream = streamIdOf(request.params.stream);
    const query = queryOf(request.url);
    const to = numberOf(query, 'to', parts.epochMs());
    const range = { from: numberOf(query, 'from', to - DATA_MS), to };
    return refusingNonsense(() => parts.data(stream, range));
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
      if (!parts.takeEvents(stream, events.length)) {
        throw new ProtocolError('limit', `A stream takes ${limits.eventsPerSecond} events per second.`);
      }
      for (const event of events) {
        parts.report(event);
      }
      return reply.code(202).send({ accepted: events.length });
    },
  );

  cmcdRoute(app, { parts, access, limits });
}
