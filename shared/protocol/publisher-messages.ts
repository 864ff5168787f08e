// Control messages between a publisher (studio, `tessera publish`) and the server on /publish/STREAM.

import { z } from 'zod';
import { clockRequestSchema, clockResponseSchema, errorMessageSchema, type MessageOf } from './control-message.ts';
import { trackConfigSchema, trackNameSchema } from './track-message.ts';

const count = z.number().int().nonnegative();

/** What a publisher sends. `hello` is its first message; the key may be in the address (`?key=`) instead. */
export const FROM_PUBLISHER = {
  hello: z.object({
    type: z.literal('hello'),
    role: z.literal('publish'),
    key: z.string().max(64).optional(),
    agent: z.string().max(128).optional(),
  }),
  /** Before the first object of a track, and again when its configuration changes. `id` is the header's trackId. */
  track: z.object({
    type: z.literal('track'),
    id: z.number().int().min(0).max(255),
    name: trackNameSchema,
    config: trackConfigSchema,
  }),
  clock: clockRequestSchema,
  /** The publisher says goodbye: the stream ends. */
  end: z.object({ type: z.literal('end') }),
} as const;

/** What the server sends to a publisher. */
export const TO_PUBLISHER = {
  welcome: z.object({
    type: z.literal('welcome'),
    stream: z.string(),
    epoch: count,
    session: z.string(),
    limits: z.object({ messageBytes: count, tracks: count }),
  }),
  /** About every 500 ms: totals since the welcome, and when (server's epoch ms). */
  ack: z.object({ type: z.literal('ack'), objects: count, bytes: count, viewers: count, at: z.number() }),
  /** Somebody needs a key object on this track soon. */
  keyframe: z.object({ type: z.literal('keyframe'), track: trackNameSchema }),
  clock: clockResponseSchema,
  error: errorMessageSchema,
} as const;

/** A message of a publisher, by `type`. */
export type FromPublisher = MessageOf<typeof FROM_PUBLISHER>;
/** A message to a publisher, by `type`. */
export type ToPublisher = MessageOf<typeof TO_PUBLISHER>;
