// The audio track that viewers of a format get: the stream's own where the format carries it, else its AAC twin.

import type { AacProvider, StreamTrack } from '../streams/roles.ts';
import type { StreamTracks } from '../streams/stream-tracks.ts';
import type { WireFormat } from './wire-format.ts';

/** Null: the stream has no audio. A reason: it has, and viewers of this format cannot have it. */
export function carriedAudio(
  { audio }: Pick<StreamTracks, 'audio'>,
  format: Pick<WireFormat, 'carries'>,
  aac: AacProvider | undefined,
): StreamTrack | { readonly reason: string } | null {
  const config = audio?.config ?? null;
  if (audio === null || config === null || format.carries(config)) {
    return audio;
  }
  if (config.codec !== 'opus') {
    return { reason: `These viewers take no ${config.codec}.` };
  }
  return aac?.aacOf(audio) ?? { reason: 'The audio is Opus, and nothing here makes AAC of it.' };
}
