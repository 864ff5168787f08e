// /api/v1/openapi.json, generated from the zod schemas that the routes and read models use.

import { z } from 'zod';
import { assert } from '../../shared/assert.ts';
import { HTTP_ERRORS, PEER_ERRORS } from '../../shared/errors.ts';
import { dataEventSchema } from '../../shared/telemetry/events.ts';
import { capacitySchema } from '../read-models/capacity.ts';
import { dataWindowsSchema } from '../read-models/data-windows.ts';
import { healthReportSchema } from '../read-models/health.ts';
import { historySchema } from '../read-models/history.ts';
import { ingestInfoSchema } from '../read-models/ingest-info.ts';
import { serverInfoSchema } from '../read-models/server-info.ts';
import { streamListSchema } from '../read-models/stream-status.ts';

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum([...Object.keys(PEER_ERRORS), ...Object.keys(HTTP_ERRORS)] as [string, ...string[]]),
  detail: z.string(),
});

const jsonSchema = (schema: z.ZodType): unknown => {
  const { $schema: dialect, ...rest } = z.toJSONSchema(schema) as Record<string, unknown>;
  assert(typeof dialect === 'string', 'JSON Schema names its dialect');
  return rest;
};

const json = (description: string, name: string): unknown => ({
  description,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
});

const problem = {
  description: 'What went wrong, with a stable `code`.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const streamParameter = {
  name: 'stream',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
};

const times = (...names: readonly string[]): unknown[] =>
  names.map((name) => ({ name, in: 'query', schema: { type: 'number', description: 'milliseconds' } }));

/** What is known of streams. */
const STREAM_PATHS = {
  '/api/v1/streams': {
    get: {
      operationId: 'listStreams',
      summary: 'Every stream that is live, stalled or has just ended. Addresses of publishers only for operators.',
      responses: { 200: json('The streams.', 'StreamList'), default: problem },
    },
  },
  '/api/v1/streams/{stream}/health': {
    get: {
      operationId: 'streamHealth',
      summary: 'The health of a stream, computed over event-time windows; `unknown` where none has spoken lately.',
      parameters: [streamParameter],
      responses: { 200: json('The health.', 'StreamHealth'), default: problem },
    },
  },
  '/api/v1/streams/{stream}/history': {
    get: {
      operationId: 'streamHistory',
      summary: 'What the windows said over a range of time; null where nothing was heard. For operators.',
      security: [{ operatorToken: [] }],
      parameters: [streamParameter, ...times('from', 'to', 'step')],
      responses: { 200: json('The points.', 'History'), default: problem },
    },
  },
  '/api/v1/streams/{stream}/data': {
    get: {
      operationId: 'streamData',
      summary: 'Windows over events of other sources (sensors, meters, chat), five seconds each. For operators.',
      security: [{ operatorToken: [] }],
      parameters: [streamParameter, ...times('from', 'to')],
      responses: { 200: json('The windows.', 'DataWindows'), default: problem },
    },
  },
};

/** What is known of the server. */
const SERVER_PATHS = {
  '/api/v1/ingest': {
    get: {
      operationId: 'ingestInfo',
      summary: 'Where streams are taken.',
      responses: { 200: json('The ports.', 'IngestInfo'), default: problem },
    },
  },
  '/api/v1/server': {
    get: {
      operationId: 'serverInfo',
      summary: 'The server itself: since when it runs, and on which telemetry log. For operators.',
      security: [{ operatorToken: [] }],
      responses: { 200: json('The server.', 'ServerInfo'), default: problem },
    },
  },
  '/api/v1/capacity': {
    get: {
      operationId: 'capacity',
      summary:
        'What the telemetry log carries now: producer write rate, consumer read rate, partitions, and the rule beside them. For operators.',
      security: [{ operatorToken: [] }],
      responses: { 200: json('The capacity.', 'Capacity'), default: problem },
    },
  },
};

/** What others may send. */
const SENDING_PATHS = {
  '/api/v1/cmcd': {
    post: {
      operationId: 'reportPlayback',
      summary: 'Event reports of other players in CMCD version 2, one per line; `cid` or `?stream=` names the stream.',
      parameters: [{ name: 'stream', in: 'query', schema: { type: 'string' } }],
      requestBody: { required: true, content: { 'application/cmcd': { schema: { type: 'string' } } } },
      responses: { 204: { description: 'Taken.' }, default: problem },
    },
  },
  '/api/v1/events/{stream}': {
    post: {
      operationId: 'sendEvents',
      summary: 'Events of any source, one JSON object per line. Needs the publish key of the stream.',
      parameters: [streamParameter],
      security: [{ publishKey: [] }],
      requestBody: {
        required: true,
        content: { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/DataEvent' } } },
      },
      responses: { 202: json('How many were taken.', 'Accepted'), default: problem },
    },
  },
};

/** The description of /api/v1. */
export function openApi(): unknown {
  return {
    openapi: '3.1.0',
    info: { title: 'Tessera', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: { ...STREAM_PATHS, ...SERVER_PATHS, ...SENDING_PATHS },
    components: {
      schemas: {
        StreamList: jsonSchema(streamListSchema),
        StreamHealth: jsonSchema(healthReportSchema),
        History: jsonSchema(historySchema),
        IngestInfo: jsonSchema(ingestInfoSchema),
        ServerInfo: jsonSchema(serverInfoSchema),
        Capacity: jsonSchema(capacitySchema),
        DataWindows: jsonSchema(dataWindowsSchema),
        DataEvent: jsonSchema(dataEventSchema.omit({ topic: true, stream: true })),
        Accepted: jsonSchema(z.object({ accepted: z.number().int() })),
        Problem: jsonSchema(problemSchema),
      },
      securitySchemes: {
        publishKey: { type: 'http', scheme: 'bearer', description: 'A publish key of the stream.' },
        operatorToken: { type: 'http', scheme: 'bearer', description: 'The operator token; not needed on loopback.' },
      },
    },
  };
}
