// A viewer of an HTTP-FLV address: the body as tracks and units. Used by `tessera watch URL.flv`.

import { FlvDemuxer } from '../../../shared/containers/flv/flv-demuxer.ts';
import type { FlvDemuxerOptions } from '../../../shared/containers/flv/flv-demuxer.ts';
import { FlvTagReader } from '../../../shared/containers/flv/flv-tag.ts';
import { PEER_ERRORS, PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';

/** Reads until the server ends the body or `signal` aborts. Rejects when the server refuses or sends no FLV. */
export async function watchFlv(
  url: string,
  handlers: Pick<FlvDemuxerOptions, 'onTrack' | 'onUnit'>,
  signal: AbortSignal,
): Promise<void> {
  const response = await open(url, signal);
  if (response.body === null) {
    throw new PeerClosedError('The server sent an empty answer.');
  }
  const reader = new FlvTagReader();
  const demuxer = new FlvDemuxer({ describeVideo, ...handlers });
  try {
    for await (const chunk of response.body) {
      for (const tag of reader.push(chunk as Uint8Array)) {
        demuxer.push(tag, microseconds(0));
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

async function open(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new PeerClosedError(`Cannot reach the server: ${cause}.`);
  }
  if (response.ok) {
    return response;
  }
  const problem = (await response.json().catch(() => ({}))) as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof problem.code === 'string' && Object.hasOwn(PEER_ERRORS, problem.code)) {
    const sentence = typeof problem.detail === 'string' ? problem.detail : problem.code;
    throw new ProtocolError(problem.code as PeerErrorCode, sentence);
  }
  throw new PeerClosedError(`The server answered with HTTP status ${response.status}.`);
}
