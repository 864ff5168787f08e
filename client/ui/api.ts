// What the pages read from /api/v1, and how. Answers are checked against schemas, so that a changed server is a clear sentence and
// not a blank page.

import { z } from 'zod';

// The pages' Content-Security-Policy has no unsafe-eval; zod would probe for it.
z.config({ jitless: true });

const trackSchema = z.object({
  name: z.string(),
  kind: z.string(),
  codec: z.string(),
  width: z.number().optional(),
  height: z.number().optional(),
  fps: z.number().optional(),
  bitrateKbps: z.number().optional(),
  encoder: z.enum(['publisher', 'tessera']).optional(),
});

const streamSchema = z.object({
  id: z.string(),
  state: z.string(),
  since: z.union([z.number(), z.string()]),
  epoch: z.number(),
  publisher: z.object({ protocol: z.string(), address: z.string().optional() }).nullish(),
  viewers: z.number(),
  tracks: z.array(trackSchema),
});

const streamsSchema = z.object({ streams: z.array(streamSchema) });

const issueSchema = z.object({
  type: z.string(),
  severity: z.string(),
  stage: z.string(),
  /** The device that it is about, where it is about one. */
  subject: z.string().optional(),
  actual: z.unknown(),
  expected: z.unknown(),
  advice: z.string(),
  since: z.union([z.number(), z.string()]),
});

const quantile = z.number().nullish();

const healthSchema = z.object({
  stream: z.string(),
  status: z.enum(['good', 'ok', 'bad', 'unknown']),
  score: z.number().nullish(),
  complete: z.union([z.boolean(), z.number()]).nullish(),
  windowStart: z.union([z.number(), z.string()]).nullish(),
  windowEnd: z.union([z.number(), z.string()]).nullish(),
  bitrateKbps: z.number().nullish(),
  fps: z.number().nullish(),
  keyframeIntervalMs: z.number().nullish(),
  latencyMs: z.object({ kind: z.enum(['glass', 'ingest']), p50: quantile, p95: quantile, p99: quantile }).nullish(),
  issues: z.array(issueSchema),
});

const nullableNumber = z.number().nullable();

const historySchema = z.object({
  points: z.array(
    z.object({
      start: z.number(),
      end: z.number(),
      bitrateKbps: nullableNumber,
      fps: nullableNumber,
      viewers: nullableNumber,
      latencyP50Ms: nullableNumber,
      latencyP95Ms: nullableNumber,
    }),
  ),
});

const ingestSchema = z.object({ rtmpPort: z.number().nullable() });

const serverSchema = z.object({ startedAt: z.number(), telemetry: z.string(), node: z.string() });

/** What the console shows of it; the three quantities have the names of the survey text. */
const capacitySchema = z.object({
  producer: z.object({ writeRate: z.number() }),
  consumer: z.object({ readRate: z.number() }),
  partitions: z.object({ count: z.number(), replicas: z.number(), partitionFactor: z.number() }),
  rule: z.object({ partitions: z.number() }),
  agrees: z.boolean(),
  advice: z.string(),
});

/** One live (or just ended) stream. */
export type StreamSummary = z.infer<typeof streamSchema>;
/** Health of one stream over the last window. */
export type StreamHealth = z.infer<typeof healthSchema>;
/** A stream's past, one entry per step; null where nothing was heard. */
export type StreamPast = z.infer<typeof historySchema>['points'];
/** The server itself. */
export type ServerInfo = z.infer<typeof serverSchema>;
/** Rates (bytes per second) and partitions of the telemetry. */
export type Capacity = z.infer<typeof capacitySchema>;
/** One thing that is wrong. */
export type HealthIssue = z.infer<typeof issueSchema>;

/** The server said no, or could not be reached; the message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const problemSchema = z.object({ detail: z.string().optional(), title: z.string().optional() });

async function get<Answer>(path: string, schema: z.ZodType<Answer>, token: string | null): Promise<Answer> {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(path, { headers, cache: 'no-store' });
  } catch {
    throw new ApiError(0, 'The server cannot be reached.');
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const problem = problemSchema.safeParse(body);
    const sentence = problem.success ? (problem.data.detail ?? problem.data.title) : undefined;
    throw new ApiError(response.status, sentence ?? `The server answered ${response.status}.`);
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw new ApiError(response.status, 'The server answered something that this page does not understand.');
  }
  return parsed.data;
}

/** The TCP port that takes RTMP; null where it is off. */
export async function getRtmpPort(): Promise<number | null> {
  return (await get('/api/v1/ingest', ingestSchema, null)).rtmpPort;
}

/** Streams that are live now. */
export async function getStreams(token: string | null = null): Promise<readonly StreamSummary[]> {
  return (await get('/api/v1/streams', streamsSchema, token)).streams;
}

async function getIfThere<Answer>(
  path: string,
  schema: z.ZodType<Answer>,
  token: string | null,
): Promise<Answer | null> {
  try {
    return await get(path, schema, token);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return null;
    }
    throw error;
  }
}

/** Health of one stream, or null where the server does not know it (yet). */
export function getHealth(stream: string, token: string | null = null): Promise<StreamHealth | null> {
  return getIfThere(`/api/v1/streams/${encodeURIComponent(stream)}/health`, healthSchema, token);
}

/** What the windows said of a stream between two epoch ms, in steps of `stepMs`. */
export async function getPast(
  stream: string,
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  token: string | null = null,
): Promise<StreamPast> {
  const { fromMs, toMs, stepMs } = range;
  const path = `/api/v1/streams/${encodeURIComponent(stream)}/history?from=${fromMs}&to=${toMs}&step=${stepMs}`;
  return (await getIfThere(path, historySchema, token))?.points ?? [];
}

/** The server itself, or null where it does not tell. */
export function getServer(token: string | null = null): Promise<ServerInfo | null> {
  return getIfThere('/api/v1/server', serverSchema, token);
}

const openApiSchema = z.object({ paths: z.record(z.string(), z.unknown()) });

let offered: Promise<ReadonlySet<string>> | null = null;

/** Whether this server has a route, by its own description; asked once. */
async function isOffered(path: string): Promise<boolean> {
  offered ??= get('/api/v1/openapi.json', openApiSchema, null).then(({ paths }) => new Set(Object.keys(paths)));
  try {
    return (await offered).has(path);
  } catch (error) {
    offered = null;
    throw error;
  }
}

/** What the telemetry needs and has, or null where the server does not tell. */
export async function getCapacity(token: string | null = null): Promise<Capacity | null> {
  const path = '/api/v1/capacity';
  return (await isOffered(path)) ? getIfThere(path, capacitySchema, token) : null;
}

/** Epoch ms of a time that the API gives as number or ISO text. */
export function toEpochMs(time: number | string): number {
  return typeof time === 'number' ? time : Date.parse(time);
}
