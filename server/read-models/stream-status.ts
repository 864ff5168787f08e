// What the API says about a stream: written by server/streams, read by server/http. The schema is also the OpenAPI description.

import { z } from 'zod';

const epochMs = z.number().describe('Unix epoch, milliseconds');

const trackStatusSchema = z.object({
  name: z.string().describe('`source`, `audio`, or the name of a rendition'),
  kind: z.enum(['video', 'audio']),
  codec: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  fps: z.number().optional(),
  bitrateKbps: z.number(),
  encoder: z.enum(['publisher', 'tessera']),
});

const streamStatusSchema = z.object({
  id: z.string(),
  state: z.enum(['live', 'stalled', 'ended']),
  since: epochMs,
  epoch: z.number().int(),
  publisher: z
    .object({
      protocol: z.enum(['rtmp', 'websocket', 'internal']),
      address: z.string().optional().describe('for operators only'),
    })
    .nullable(),
  viewers: z.number().int(),
  tracks: z.array(trackStatusSchema),
});

export const streamListSchema = z.object({ streams: z.array(streamStatusSchema) });

export type TrackStatus = z.infer<typeof trackStatusSchema>;
export type StreamStatus = z.infer<typeof streamStatusSchema>;
