// Control messages of the server to a viewer (player, `tessera watch`) on /subscribe/STREAM. What the viewer says is in
// viewer-requests.ts, apart, so that a player that opens does not build the schemas of reports.

import { z } from 'zod';
import { clockResponseSchema, errorMessageSchema, type MessageOf } from './control-message.ts';
import { trackConfigSchema, trackNameSchema } from './track-message.ts';

const count = z.number().int().nonnegative();
const encodedBy = z.enum(['publisher', 'tessera']);

/** One line of the rendition menu; `source` comes last and is always there once the stream has video. */
const renditionInfoSchema = z.object({
  name: trackNameSchema,
  width: count,
  height: count,
  fps: z.number().nonnegative(),
  kbps: z.number().nonnegative(),
  encoder: encodedBy,
});

/** What a viewer may see a stream to be. `reconnecting`: the publisher is gone and awaited. */
const viewerStateSchema = z.enum(['live', 'stalled', 'reconnecting', 'ended']);

/** What the server sends to a viewer. */
export const TO_VIEWER = {
  /** First message, and again whenever the choice of renditions changes. */
  welcome: z.object({
    type: z.literal('welcome'),
    stream: z.string(),
    session: z.string(),
    epoch: count,
    state: viewerStateSchema,
    renditions: z.array(renditionInfoSchema),
    /** Why there are no renditions of our encoder, or why another one than asked is sent. */
    reason: z.string().optional(),
  }),
  /** Before the first object of a track and on each change of its configuration. */
  track: z.object({
    type: z.literal('track'),
    id: z.number().int().min(0).max(255),
    name: trackNameSchema,
    kind: z.enum(['video', 'audio']),
    rendition: trackNameSchema,
    encoder: encodedBy,
    latencyKind: z.enum(['glass', 'ingest']),
    config: trackConfigSchema,
  }),
  state: z.object({ type: z.literal('state'), state: viewerStateSchema, epoch: count, viewers: count }),
  clock: clockResponseSchema,
  error: errorMessageSchema,
} as const;

/** A message to a viewer, by `type`. */
export type ToViewer = MessageOf<typeof TO_VIEWER>;
/** One line of the rendition menu. */
export type RenditionInfo = z.infer<typeof renditionInfoSchema>;
/** What a viewer may see a stream to be. */
export type ViewerState = z.infer<typeof viewerStateSchema>;
