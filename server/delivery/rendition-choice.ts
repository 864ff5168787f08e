// Which rendition a viewer gets: what it asked for where that is on offer, `auto` = the best that our encoder makes, else the source.

import type { StreamTracks } from '../streams/stream-tracks.ts';

export type Choice = {
  readonly rendition: string;
  /** Why it is not what was asked for. */
  readonly reason?: string;
};

/** `requested`: `auto`, `source` or a name of the menu. */
export function chooseRendition(requested: string, tracks: StreamTracks): Choice {
  if (requested === 'source' || tracks.source?.config?.kind !== 'video') {
    return { rendition: 'source' };
  }
  const { renditions, reason } = tracks.menu();
  const ours = renditions.filter(({ encoder }) => encoder === 'tessera');
  if (requested === 'auto') {
    // A source from our encoder is as good as it gets: making a rendition of it would only cost quality.
    const best = ours.find(({ name }) => name === 'source') ?? ours[0];
    return best === undefined
      ? { rendition: 'source', reason: reason ?? 'There is no rendition of our encoder.' }
      : { rendition: best.name };
  }
  if (ours.some(({ name }) => name === requested)) {
    return { rendition: requested };
  }
  return { rendition: 'source', reason: `There is no rendition ${requested}: ${reason ?? 'the menu has others.'}` };
}
