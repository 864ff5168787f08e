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
const frameBatchSchema = z.object({
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
  /** Per frame, where our encoder made it: waiting for the transcoder, decoding, and the part of encodeMs that is scaling. */
  queueMs: z.array(z.number().nonnegative()).optional(),
  decodeMs: z.array(z.number().nonnegative()).optional(),
  scaleMs: z.array(z.number().nonnegative()).optional(),
  /** Per frame, where the publisher tells capture times: from capture to arrival. */
  captureMs: z.array(z.number()).optional(),
  /** Per audio frame, where the codec tells: 1 when it is digital silence. */
  silent: z.array(z.number().int().min(0).max(1)).optional(),
});

/** What a decoded picture of the source looks like, at most twice a second (shared/pixels/picture-meter.ts). */
const pictureFactsSchema = z.object({
  type: z.literal('picture'),
  topic: z.literal('ingest'),
  stream: z.string(),
  /** Arrival of the picture's access unit. */
  ts: epochMs,
  luma: z.number().min(0).max(255),
  spread: z.number().min(0).max(255),
  moved: z.number().min(0).max(1).nullable(),
  /** Time of the stream since the picture that `moved` compares with, ms. */
  sinceMs: z.number().nonnegative().nullable(),
});

/** A publisher's clock was found wrong: at most once a second. */
const publisherClockSchema = z.object({
  type: z.literal('publisher-clock'),
  topic: z.literal('ingest'),
  stream: z.string(),
  ts: epochMs,
  /** `capture`: capture times against the server's clock; `timeline`: a jump of the timestamps that was bridged. */
  what: z.enum(['capture', 'timeline']),
  /** How far ahead, ms; negative: behind. */
  offMs: z.number(),
});

/** Pictures that the transcoder had to leave out, since the last such event. */
const transcodeDropsSchema = z.object({
  type: z.literal('transcode-drops'),
  topic: z.literal('ingest'),
  stream: z.string(),
  ts: epochMs,
  /** Too late before the encoders; from a full queue; without a picture. */
  late: count,
  queue: count,
  decoder: count,
});

/** Start, change and end of publishers, viewers, renditions, and every refusal. */
const sessionEventSchema = z.object({
  type: z.enum([
    'publish-start',
    'publish-end',
    'publish-stalled',
    'publish-resumed',
    'stream-end',
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

/** What a player measures of a picture's way, in order: server to page, decoding, waiting for its time, drawing. */
export const VIEWER_STAGES = ['arrive', 'decode', 'wait', 'draw'] as const;
export type ViewerStage = (typeof VIEWER_STAGES)[number];

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
  /** Presentation time of the picture of each sample, ms. */
  latencyPtsMs: z.array(z.number()).optional(),
  /** Means of the interval, ms. */
  stagesMs: z.partialRecord(z.enum(VIEWER_STAGES), z.number()).optional(),
  joinMs: z.number().nonnegative().optional(),
  /** Sound ahead of the picture, ms. */
  avSkewMs: z.number().optional(),
  /** Share of decoded samples at full scale, 0..1. */
  clippedShare: z.number().min(0).max(1).optional(),
});

/** Queue and drop counters of one subscriber or track over one interval, from the server's side. */
const deliveryReportSchema = z.object({
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
const tickSchema = z.object({
  type: z.literal('tick'),
  topic: eventTopic,
  stream: z.string(),
  ts: epochMs,
  isLast: z.boolean().optional(),
  /** The publisher said goodbye; ticks go on until every window of the stream is closed. */
  isEnded: z.boolean().optional(),
});

/** Stands for events that the reporter had to drop: sequence numbers fromSeq..seq of its own (node, boot, stream, topic). */
const gapSchema = z.object({
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
  pictureFactsSchema,
  publisherClockSchema,
  transcodeDropsSchema,
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
type DeliveryReport = z.infer<typeof deliveryReportSchema>;
export type DataEvent = z.infer<typeof dataEventSchema>;
type Tick = z.infer<typeof tickSchema>;
type Gap = z.infer<typeof gapSchema>;
export type TelemetryEvent =
  | FrameBatch
  | z.infer<typeof pictureFactsSchema>
  | z.infer<typeof publisherClockSchema>
  | z.infer<typeof transcodeDropsSchema>
  | SessionEvent
  | ViewerReport
  | DeliveryReport
  | DataEvent
  | Tick
  | Gap;
