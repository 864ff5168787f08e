// Control messages of a viewer to the server on /subscribe/STREAM; the server's are in viewer-messages.ts.

import { z } from 'zod';
import { viewerReportSchema } from '../telemetry/events.ts';
import { clockRequestSchema, type MessageOf } from './control-message.ts';
import { trackNameSchema } from './track-message.ts';

const count = z.number().int().nonnegative();

/** What a viewer sends: at most `limits.viewerMessageBytes` per message. */
export const FROM_VIEWER = {
  clock: clockRequestSchema,
  /** What the player saw over one interval; the server adds stream and session, and clamps. */
  report: viewerReportSchema
    .omit({ type: true, topic: true, stream: true, session: true, ts: true })
    .extend({ type: z.literal('report'), ts: z.number().optional() }),
  select: z.object({ type: z.literal('select'), rendition: trackNameSchema }),
  /** An object that the player misses or could not decode. */
  loss: z.object({ type: z.literal('loss'), track: z.number().int().min(0).max(255), group: count, object: count }),
} as const;

/** A message of a viewer, by `type`. */
export type FromViewer = MessageOf<typeof FROM_VIEWER>;
