// The front page's pictures: one worker for all cards, asked for a stream at a time.

import type { ThumbnailAnswer, ThumbnailRequest } from '../media/thumbnail-worker.ts';
import type { Picture } from '../media/picture.ts';

type Waiting = (picture: Picture | null) => void;

let worker: Worker | null = null;
const waiting = new Map<string, Waiting[]>();

function start(): Worker {
  const created = new Worker(new URL('../media/thumbnail-worker.ts', import.meta.url), {
    type: 'module',
    name: 'thumbnails',
  });
  created.onmessage = ({ data }: MessageEvent<ThumbnailAnswer>) => {
    const callbacks = waiting.get(data.stream) ?? [];
    waiting.delete(data.stream);
    callbacks.forEach((callback) => callback(data.picture));
  };
  return created;
}

/** A current key picture of a stream, or null when none could be had. */
export function fetchThumbnail(stream: string): Promise<Picture | null> {
  return new Promise((resolve) => {
    const callbacks = waiting.get(stream);
    if (callbacks !== undefined) {
      callbacks.push(resolve);
      return;
    }
    waiting.set(stream, [resolve]);
    worker ??= start();
    const request: ThumbnailRequest = {
      origin: location.origin,
      stream,
      hasWebCodecs: typeof VideoDecoder === 'function',
    };
    worker.postMessage(request);
  });
}
