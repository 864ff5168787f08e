/**
 * The player without the page around it: plays one live stream on a canvas of yours. Browsers only; decoding and painting run in a
 * worker that is part of the package. A page of another origin must be named in the server's `http.allowedOrigins`.
 * @module
 */

export { Player, type FrameCopy, type PlayerOptions } from './player.ts';
export type { PlayerState } from './player-state.ts';
export type {
  LatencyStages,
  Painting,
  PlaybackStats,
  PlaybackStatus,
  RenditionMenu,
} from '../media/decode-messages.ts';
