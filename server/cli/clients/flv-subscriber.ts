// A viewer of an FLV address, over HTTP or WebSocket: the bytes as tracks and units. Used by `tessera watch URL.flv`.

import { WebSocket } from 'ws';
import { FlvDemuxer } from '../../../shared/containers/flv/flv-demuxer.ts';
import type { FlvDemuxerOptions } from '../../../shared/containers/flv/flv-demuxer.ts';
import { FlvTagReader } from '../../../shared/containers/flv/flv-tag.ts';
import { PEER_ERRORS, PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { CLOSE_NORMAL, peerErrorOfClose } from '../../../shared/protocol/subprotocol.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import { bytesOf } from './websocket-publisher.ts';
import { refusalOf, sentenceOfClose } from './websocket-refusal.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** More unread than this, and nothing more is read from the socket. */
const MAX_WAITING_BYTES = 16_000_000;

/** Reads until the server ends the body or `signal` aborts. Rejects when the server refuses or sends no FLV. */
export async function watchFlv(
  url: string,
  handlers: Pick<FlvDemuxerOptions, 'onTrack' | 'onUnit'>,
  signal: AbortSignal,
): Promise<void> {
  const chunks = /^wss?:/.test(url) ? openWebSocket(url, signal) : await openBody(url, signal);
  const reader = new FlvTagReader();
  const demuxer = new FlvDemuxer({ describeVideo, ...handlers });
  try {
    for await (const chunk of chunks) {
      for (const tag of reader.push(chunk)) {
        demuxer.push(tag, microseconds(0));
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

/** The body of an HTTP answer. */
async function openBody(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new PeerClosedError(`Cannot reach the server: ${cause}.`);
  }
  if (response.ok && response.body !== null) {
    return response.body as AsyncIterable<Uint8Array>;
  }
  const problem = (await response.json().catch(() => ({}))) as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof problem.code === 'string' && Object.hasOwn(PEER_ERRORS, problem.code)) {
    const sentence = typeof problem.detail === 'string' ? problem.detail : problem.code;
    throw new ProtocolError(problem.code as PeerErrorCode, sentence);
  }
  throw new PeerClosedError(`The server answered with HTTP status ${response.status}.`);
}

/** The messages of a WebSocket, one after the other; at most MAX_WAITING_BYTES wait for the reader. */
async function* openWebSocket(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const over: { end: { readonly error: Error | null } | null } = { end: null };
  let wake: () => void = () => undefined;
  const finish = (error: Error | null): void => {
    over.end ??= { error };
    wake();
  };
  socket.on('message', (data) => {
    const bytes = bytesOf(data);
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes > MAX_WAITING_BYTES) {
      socket.pause();
    }
    wake();
  });
  socket.on('unexpected-response', (_request, response) => void refusalOf(response).then(finish));
  socket.on('error', (error) => finish(new PeerClosedError(`The connection broke: ${error.message}.`)));
  socket.on('close', (code, reason) => {
    const refusal = peerErrorOfClose(code);
    finish(refusal === null ? null : new ProtocolError(refusal, sentenceOfClose(refusal, reason.toString())));
  });
  const leave = (): void => socket.close(CLOSE_NORMAL);
  signal.addEventListener('abort', leave);
  try {
    for (;;) {
      const chunk = waiting.shift();
      if (chunk !== undefined) {
        waitingBytes -= chunk.length;
        socket.resume();
        yield chunk;
      } else if (over.end !== null || signal.aborted) {
        break;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    signal.removeEventListener('abort', leave);
    socket.terminate();
  }
  throwIfFailed(over.end);
}

function throwIfFailed(end: { readonly error: Error | null } | null): void {
  if (end !== null && end.error !== null && !(end.error instanceof ProtocolError && end.error.code === 'ended')) {
    throw end.error;
  }
}
