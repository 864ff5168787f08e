// Worker of the front page: fetches one key picture of a stream, decodes it with the player's decoders, and sends it back small
// enough to draw. One request at a time; a viewer connection exists only until the key picture has come.

import { trackConfigFromWire } from '../../shared/protocol/track-message.ts';
import { TO_VIEWER } from '../../shared/protocol/viewer-messages.ts';
import type { WireObject } from '../../shared/protocol/object-header.ts';
import { subscribeUrl } from '../transport/addresses.ts';
import { ClockSync } from '../transport/clock-sync.ts';
import { WebSocketConnection } from '../transport/websocket-connection.ts';
import { PictureBuffers, type Picture } from './picture.ts';
import type { PictureDecoder } from './picture-decoder.ts';
import { createPictureDecoder } from './picture-decoder-choice.ts';
import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';

/** Asks for a picture of `stream`. */
export type ThumbnailRequest = { readonly origin: string; readonly stream: string; readonly hasWebCodecs: boolean };
/** The picture, or null when none came in time. */
export type ThumbnailAnswer = { readonly stream: string; readonly picture: Picture | null };

const TIMEOUT_MS = 8000;
const scope = self as unknown as DedicatedWorkerGlobalScope;
let queue: Promise<void> = Promise.resolve();

function fetchKeyObject(
  request: ThumbnailRequest,
): Promise<{ readonly config: VideoTrackConfig; readonly object: WireObject } | null> {
  return new Promise((resolve) => {
    const configs = new Map<number, VideoTrackConfig>();
    const finish = (result: { readonly config: VideoTrackConfig; readonly object: WireObject } | null) => {
      clearTimeout(timer);
      connection.close();
      resolve(result);
    };
    const url = subscribeUrl(request.origin, request.stream, { rendition: 'source', flushClass: 'normal' });
    const connection = new WebSocketConnection(url, TO_VIEWER, new ClockSync(), {
      onControl: (message) => {
        if (message.type === 'track') {
          const config = trackConfigFromWire(message.config);
          if (config.kind === 'video') {
            configs.set(message.id, config);
          }
        }
      },
      onObjects: (objects) => {
        for (const object of objects) {
          const config = configs.get(object.trackId);
          if (object.kind === 'video' && object.priority === 'key' && config !== undefined) {
            finish({ config, object });
            return;
          }
        }
      },
      onClose: () => finish(null),
    });
    const timer = setTimeout(() => finish(null), TIMEOUT_MS);
  });
}

async function decodeOne(request: ThumbnailRequest): Promise<Picture | null> {
  const found = await fetchKeyObject(request);
  if (found === null) {
    return null;
  }
  let decoder: PictureDecoder | null = null;
  const picture = new Promise<Picture | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), TIMEOUT_MS);
    const answer = (result: Picture | null) => {
      clearTimeout(timer);
      resolve(result);
    };
    const { hasWebCodecs } = request;
    createPictureDecoder(
      found.config,
      { choice: 'auto', inspect: false, hasWebCodecs, avoidWebCodecs: false },
      new PictureBuffers(1),
      {
        wants: () => true,
        onPicture: answer,
        onSkipped: () => answer(null),
        onError: () => answer(null),
      },
    ).then(
      (created) => {
        decoder = created;
        created.decode({ isKey: true, ptsUs: found.object.pts, data: found.object.payload });
        created.flush();
      },
      () => answer(null),
    );
  });
  const result = await picture;
  (decoder as PictureDecoder | null)?.close();
  return result;
}

scope.onmessage = (event: MessageEvent<ThumbnailRequest>) => {
  const request = event.data;
  queue = queue.then(async () => {
    const picture = await decodeOne(request);
    const answer: ThumbnailAnswer = { stream: request.stream, picture };
    scope.postMessage(answer, picture === null ? [] : [picture.buffer]);
  });
};
