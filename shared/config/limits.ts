// `limits.*`: every bound of the server, with its default. What happens at each bound, and its counter: docs/operations/limits.md.

import { z } from 'zod';

const MEGABYTE = 1024 * 1024;
const bytes = (standard: number): z.ZodDefault<z.ZodNumber> =>
  z
    .number()
    .int()
    .min(1024)
    .max(2 ** 40)
    .default(standard);
const ms = (standard: number): z.ZodDefault<z.ZodNumber> => z.number().int().min(10).max(86_400_000).default(standard);
const count = (standard: number): z.ZodDefault<z.ZodNumber> => z.number().int().min(1).max(1_000_000).default(standard);
const countOrOff = (standard: number): z.ZodDefault<z.ZodNumber> =>
  z.number().int().min(0).max(1_000_000).default(standard);

export const limitsSchema = z.strictObject({
  publisherMessageBytes: bytes(4 * MEGABYTE).describe(
    'largest message of a publisher: one raw frame of 1920x1080 fits',
  ),
  viewerMessageBytes: bytes(4096).describe('largest message of a viewer'),
  subscriberQueueBytes: bytes(8 * MEGABYTE).describe('what waits for one slow viewer before groups are skipped'),
  subscriberQueueMs: ms(3000).describe('how long an object may wait for one slow viewer, from enqueue'),
  joinBurstBytes: bytes(16 * MEGABYTE).describe('cached group sent to a joining viewer, beside its queue'),
  groupCacheBytes: bytes(16 * MEGABYTE).describe('current group kept per track for instant join'),
  publishers: count(500).describe('publishers at a time, all protocols'),
  tracksPerPublisher: count(8).describe('tracks of one publisher'),
  viewers: count(20_000).describe('viewers at a time'),
  viewersPerIp: countOrOff(0).describe('viewers per address, 0 = off'),
  connectionsPerIp: count(64).describe('publishers and unfinished handshakes per address'),
  handshakeMs: ms(5000).describe('time to show a key'),
  stalledMs: ms(2000).describe('silence after which a stream is stalled and its key may take it over'),
  idlePublisherMs: ms(10_000).describe('silence after which a publisher is disconnected'),
  reconnectMs: ms(30_000).describe('how long a stream without publisher waits before it has ended'),
  pingMs: ms(10_000).describe('time between pings; a peer that misses one whole interval is disconnected'),
  keyframeRequestMs: ms(2000).describe('shortest time between two key frame requests to one publisher or rendition'),
  renditionLingerMs: ms(5000).describe('how long a rendition without viewers keeps running'),
  decodeBudgetMs: ms(500).describe('decoding time of one access unit before the worker is restarted'),
  eventBytes: bytes(262_144).describe('largest body of POST /api/v1/events/STREAM'),
  eventsPerSecond: count(1000).describe('events of other sources that one stream takes, through any door'),
  historyBytes: bytes(64 * MEGABYTE).describe('memory for the past of streams; beyond it the oldest hours go'),
  requestsPerMinute: count(600).describe('API requests per address and minute'),
  telemetrySpoolBytes: bytes(1024 * MEGABYTE).describe('events kept while Kafka is away'),
  telemetrySpoolMs: ms(1_800_000).describe('events kept while Kafka is away, by age'),
});

/** Every bound, resolved. */
export type Limits = z.infer<typeof limitsSchema>;
