// What the player page's address says: /watch/STREAM?rendition=&decoder=&renderer=&embed=1. Pure.

import type { DecoderChoice } from '../media/decode-messages.ts';
import type { RendererChoice } from '../render/create-renderer.ts';
import type { PlayerOptions } from './player.ts';

const DECODERS: readonly string[] = ['auto', 'webcodecs', 'wasm'];
const RENDERERS: readonly string[] = ['auto', 'webgl', '2d'];

/** What the address asks of the player, and of the page around it. */
export type PageOptions = PlayerOptions & {
  /** Only the picture and its controls: the page is a frame in another one. */
  readonly isEmbedded: boolean;
};

/** The options in an address, or null when it names no stream. Unknown choices fall back to `auto`. */
export function playerOptionsOf(path: string, query: URLSearchParams): PageOptions | null {
  const stream = /^\/watch\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path)?.[1];
  if (stream === undefined) {
    return null;
  }
  const rendition = query.get('rendition') ?? 'auto';
  const decoder = query.get('decoder') ?? 'auto';
  const renderer = query.get('renderer') ?? 'auto';
  return {
    stream,
    rendition: /^[A-Za-z0-9_.-]{1,32}$/.test(rendition) ? rendition : 'auto',
    decoder: (DECODERS.includes(decoder) ? decoder : 'auto') as DecoderChoice,
    isEmbedded: query.get('embed') === '1',
    renderer: (RENDERERS.includes(renderer) ? renderer : 'auto') as RendererChoice,
  };
}
