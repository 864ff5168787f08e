// What a server says when it does not accept a WebSocket: problem+json with a stable code (contract, addresses).
// Used by both WebSocket clients of the CLI.

import type { IncomingMessage } from 'node:http';
import { PEER_ERRORS, PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';

const MAX_BODY_BYTES = 16_384;

/** The error that an HTTP answer in place of a WebSocket stands for. */
export async function refusalOf(response: IncomingMessage): Promise<Error> {
  const plain = new PeerClosedError(`The server answered with HTTP status ${response.statusCode ?? 0}.`);
  let body = '';
  try {
    for await (const chunk of response) {
      body += String(chunk);
      if (body.length > MAX_BODY_BYTES) {
        return plain;
      }
    }
    const problem = JSON.parse(body) as {
      readonly code?: unknown;
      readonly detail?: unknown;
      readonly title?: unknown;
    };
    const sentence = [problem.detail, problem.title].find((text) => typeof text === 'string');
    if (typeof problem.code === 'string' && Object.hasOwn(PEER_ERRORS, problem.code)) {
      return new ProtocolError(problem.code as PeerErrorCode, sentence ?? plain.message);
    }
    return plain;
  } catch {
    return plain;
  }
}

/** The sentence of a close reason; servers put the code's name before it. */
export function sentenceOfClose(code: PeerErrorCode, reason: string): string {
  const sentence = reason.startsWith(`${code}: `) ? reason.slice(code.length + 2) : reason;
  return sentence === '' ? `The server refused: ${code}.` : sentence;
}
