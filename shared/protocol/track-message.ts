// The `track` message's configuration: TrackConfig as JSON (description in base64), for media tracks and for raw I420 input.
// Both directions use it; twins: trackConfigToWire and trackConfigFromWire.

import { z } from 'zod';
import type { TrackConfig } from '../media/access-unit.ts';

/** Codec name of a track of packed I420 pictures, which the server encodes. */
export const RAW_CODEC = 'raw/i420';

/** Track names: the stream's own (`video`, `audio`, `data`) and renditions (`720p`). */
export const trackNameSchema = z.string().regex(/^[A-Za-z0-9_.-]{1,32}$/);

const base64 = z.base64().max(16_384);
const codePoint = z.number().int().min(0).max(255);
const ratioPart = z.number().int().min(1).max(65_535);

const videoConfigSchema = z.object({
  kind: z.literal('video'),
  codec: z.string().min(1).max(64),
  description: base64.optional(),
  width: z.number().int().min(1).max(16_384),
  height: z.number().int().min(1).max(16_384),
  sampleAspect: z.tuple([ratioPart, ratioPart]),
  colour: z.object({
    colour_primaries: codePoint,
    transfer_characteristics: codePoint,
    matrix_coefficients: codePoint,
    video_full_range_flag: z.boolean(),
  }),
  fps: z.number().positive().max(1000).optional(),
});

const audioConfigSchema = z.object({
  kind: z.literal('audio'),
  codec: z.string().min(1).max(64),
  description: base64.optional(),
  sampleRate: z.number().int().min(1).max(768_000),
  channels: z.number().int().min(1).max(32),
});

/** TrackConfig as it travels in JSON. */
export const trackConfigSchema = z.discriminatedUnion('kind', [videoConfigSchema, audioConfigSchema]);

/** A track's configuration as JSON: as TrackConfig, with `description` in base64. */
export type WireTrackConfig = z.infer<typeof trackConfigSchema>;

/** The JSON form of a track's configuration. */
export function trackConfigToWire(config: TrackConfig): WireTrackConfig {
  const { description, ...rest } = config;
  const fields = config.kind === 'video' ? { ...rest, sampleAspect: [...config.sampleAspect] } : rest;
  return (
    description === undefined ? fields : { ...fields, description: btoa(String.fromCharCode(...description)) }
  ) as WireTrackConfig;
}

/** The configuration that a parsed `track` message carries. */
export function trackConfigFromWire(wire: WireTrackConfig): TrackConfig {
  const { description, ...rest } = wire;
  return (
    description === undefined
      ? rest
      : { ...rest, description: Uint8Array.from(atob(description), (character) => character.charCodeAt(0)) }
  ) as TrackConfig;
}
