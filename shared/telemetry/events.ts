// Every telemetry event, one schema for both ends. Topics and fields are what docs/analytics describes; event time is `ts`.
// Frames travel as columns of 250-500 ms per record (see FrameBatch), never one record per frame.

import { z } from 'zod';

const count = z.number().int().nonnegative();
const epochMs = z.number().int();
/** Text of a data event's value, as a string or as JSON. */
const MAX_VALUE_CHARACTERS = 4096;

/** Small, hence also not nested so deep that writing it again fails. */
function isSmall(value: unknown): boolean {
  try {
    return JSON.stringify(value).length <= MAX_VALUE_CHARACTERS;
  } catch {
    return false;
  }
}

/** 250-500 ms of frames of one track, as columns of equal length. */
export const frameBatchSchema = z.object({
  type: z.literal('frames'),
  topic: z.literal('ingest'),
  stream: z.string(),
  track: z.string(),
  /** RFC 6381 string, `avc1.64001f`, `opus`. */
  codec: z.string().max(64).optional(),
  /** Server wall clock, ms: arrival of the first frame of the batch. */
  ts: epochMs,
  /** Per frame: arrival in ms after `ts`. */
  arrivalMs: z.array(z.number().nonnegative().max(86_400_000)),
  /** Per frame: PTS on the stream timeline, ms. */
  ptsMs: z.array(z.number().min(-1e12).max(1e12)),
  bytes: z.array(count),
  /** Per frame: 1 when it opens a group. */
  key: z.array(z.number().int().min(0).max(1)),
  /** Per frame, where our encoder made it: encoding time in ms and mean QP. */
  encodeMs: z.array(z.number().nonnegative()).optional(),
  qp: z.array(z.number()).optional(),
});

/** Start, change and end of publishers, viewers, renditions, and every refusal. */
export const sessionEventSchema = z.object({
  type: z.enum([
    'publish-start',
    'publish-end',
    'publish-stalled',
    'publish-resumed',
    'view-start',
    'view-end',
    'rendition-start',
    'rendition-end',
    'refused',
    'worker-restarted',
    'ingest-restarted',
  ]),
  topic: z.literal('session'),
  stream: z.string(),
  ts: epochMs,
  /** Random per connection, for viewers too: never an address. */
  session: z.string(),
  epoch: count.optional(),
  protocol: z.enum(['rtmp', 'websocket', 'flv', 'internal']).optional(),
  rendition: z.string().optional(),
  /** A code of shared/errors.ts or one sentence. */
  reason: z.string().optional(),
});

/** What one viewer saw over one interval; untrusted, clamped by the server before it is stored. */
export const viewerReportSchema = z.object({
  type: z.literal('viewer-report'),
  topic: z.literal('viewer'),
  stream: z.string(),
  ts: epochMs,
  session: z.string(),
  rendition: z.string(),
  intervalMs: z.number().positive(),
  painted: count,
  dropped: count,
  decodeErrors: count,
  stalls: count,
  stalledMs: z.number().nonnegative(),
  bufferMs: z.number().nonnegative(),
  latencyKind: z.enum(['glass', 'ingest']),
  /** Samples of the interval, ms. */
  latencyMs: z.array(z.number()),
  joinMs: z.number().nonnegative().optional(),
});

/** Queue and drop counters of one subscriber or track over one interval, from the server's side. */
export const deliveryReportSchema = z.object({
  type: z.literal('delivery'),
  topic: z.literal('viewer'),
  stream: z.string(),
  ts: epochMs,
  track: z.string(),
  intervalMs: z.number().positive(),
  viewers: count,
  sentUnits: count,
  sentBytes: count,
  droppedUnits: count,
  /** Objects that viewers said they miss; absent in events of older nodes. */
  reportedLosses: count.optional(),
});

/** Any event of any source: sensor, meter, chat. */
export const dataEventSchema = z.object({
  /** The source's own word, but for the two that the reporter uses. */
  type: z
    .string()
    .max(64)
    .refine((type) => type !== 'tick' && type !== 'gap', 'is a reserved type'),
  topic: z.literal('data'),
  stream: z.string(),
  ts: epochMs,
  key: z.string().max(256),
  value: z.union([
    z.number(),
    z.string().max(MAX_VALUE_CHARACTERS),
    z.boolean(),
    z.null(),
    z.record(z.string(), z.unknown()).refine(isSmall, `is larger than ${MAX_VALUE_CHARACTERS} characters of JSON`),
  ]),
});

const eventTopic = z.enum(['ingest', 'viewer', 'session', 'data']);

/**
 * The reporter's clock, once a second per live stream and topic: event time goes on where nothing else does, so that silence closes
 * windows too. `isLast`: the stream is over on this node.
 */
export const tickSchema = z.object({
  type: z.literal('tick'),
  topic: eventTopic,
  stream: z.string(),
  ts: epochMs,
  isLast: z.boolean().optional(),
  /** The publisher said goodbye; ticks go on until every window of the stream is closed. */
  isEnded: z.boolean().optional(),
});

/** Stands for events that the reporter had to drop: sequence numbers fromSeq..seq of its own (node, boot, stream, topic). */
export const gapSchema = z.object({
  type: z.literal('gap'),
  topic: eventTopic,
  stream: z.string(),
  ts: epochMs,
  fromSeq: count,
  dropped: count,
  reason: z.string(),
});

export const telemetryEventSchema = z.union([
  frameBatchSchema,
  sessionEventSchema,
  viewerReportSchema,
  deliveryReportSchema,
  tickSchema,
  gapSchema,
  dataEventSchema,
]);

export type FrameBatch = z.infer<typeof frameBatchSchema>;
export type SessionEvent = z.infer<typeof sessionEventSchema>;
export type ViewerReport = z.infer<typeof viewerReportSchema>;
export type DeliveryReport = z.infer<typeof deliveryReportSchema>;
export type DataEvent = z.infer<typeof dataEventSchema>;
export type Tick = z.infer<typeof tickSchema>;
export type Gap = z.infer<typeof gapSchema>;
export type TelemetryEvent = FrameBatch | SessionEvent | ViewerReport | DeliveryReport | DataEvent | Tick | Gap;
