// Errors of plain HTTP as problem+json (RFC 9457) with a stable `code`. Also for refused upgrades, before there is a WebSocket.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  HTTP_ERRORS,
  HttpError,
  PEER_ERRORS,
  ProtocolError,
  type HttpErrorCode,
  type PeerErrorCode,
} from '../../shared/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: PeerErrorCode | HttpErrorCode;
  readonly detail: string;
};

function problem(code: Problem['code'], status: number, detail: string): Problem {
  return { type: `urn:tessera:problem:${code}`, title: STATUS_CODES[status] ?? 'Error', status, code, detail };
}

/** Status codes that fastify and its plug-ins throw with, as codes of ours. */
const CODE_OF_STATUS = new Map<number, PeerErrorCode | HttpErrorCode>([
  [400, 'malformed'],
  [404, 'not-found'],
  [405, 'method-not-allowed'],
  [408, 'timeout'],
  [413, 'too-big'],
  [415, 'malformed'],
  [429, 'limit'],
  [503, 'overloaded'],
]);

/** The problem that an error stands for. What is not ours to tell becomes `internal`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProtocolError) {
    return problem(error.code, PEER_ERRORS[error.code].status, error.message);
  }
  if (error instanceof HttpError) {
    return problem(error.code, HTTP_ERRORS[error.code], error.message);
  }
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  const code = CODE_OF_STATUS.get(status);
  if (code === undefined || !(error instanceof Error)) {
    return problem('internal', 500, 'Something went wrong in the server; its log says what.');
  }
  return problem(code, status, error.message);
}

/** Answers an upgrade that is refused before it is accepted, and closes. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const body = problemOf(error);
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${body.status} ${body.title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
