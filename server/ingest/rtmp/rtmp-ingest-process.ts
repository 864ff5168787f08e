// Entry of the ingest process: node-media-server behind its guard, and the pipe to the server on file descriptor 3.
// It knows no keys, no streams and no codecs; it dies with the server, and the server starts another one when it dies.

import { Socket } from 'node:net';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { GuardedNms } from './guarded-nms.ts';
import type { SessionEnd, GuardedSession } from './guarded-session.ts';
import { PacketPipe } from './packet-pipe.ts';
import type { ConnectionTally, PipeFrame } from './packet-pipe.ts';

const PIPE_FD = 3;
const ALIVE_MS = 1000;
/** After the server's last word: time for the connections' own last words. */
const STOP_MS = 1000;
/** Tallies are sent at once, but at most this often. */
const TALLY_MS = 50;

/** Counts of connections that came and went, by kind and code. */
class Tallies {
  readonly #counts = new Map<string, ConnectionTally>();

  add(kind: ConnectionTally['kind'], code?: PeerErrorCode): void {
    const name = `${kind} ${code ?? ''}`;
    const count = (this.#counts.get(name)?.count ?? 0) + 1;
    this.#counts.set(name, code === undefined ? { kind, count } : { kind, code, count });
  }

  take(): ConnectionTally[] {
    const tallies = [...this.#counts.values()];
    this.#counts.clear();
    return tallies;
  }
}

function epochMicroseconds(): ReturnType<typeof microseconds> {
  return microseconds(Math.round((performance.timeOrigin + performance.now()) * 1000));
}

const socket = new Socket({ fd: PIPE_FD, readable: true, writable: true });
const tallies = new Tallies();
let nms: GuardedNms | null = null;
let tallyTimer: NodeJS.Timeout | null = null;

const pipe = new PacketPipe(socket, {
  onFrame: (frame) => takeFrame(frame),
  onViolation: () => process.exit(1),
  onDrain: () => nms?.setReading(true),
});
socket.on('error', () => process.exit(0));
socket.on('end', () => void stop());

/** The server ended the pipe or died. */
async function stop(): Promise<void> {
  setTimeout(() => process.exit(0), STOP_MS);
  await nms?.close();
  process.exit(0);
}

function takeFrame(frame: PipeFrame): void {
  switch (frame.kind) {
    case 'listen':
      void listen(frame.body);
      break;
    case 'approve':
      nms?.session(frame.session)?.approve();
      break;
    case 'refuse':
      nms?.session(frame.session)?.end(frame.body.code, frame.body.sentence);
      break;
    default:
      break; // frames of the other direction
  }
}

async function listen({ host, port, limits }: Extract<PipeFrame, { kind: 'listen' }>['body']): Promise<void> {
  nms = new GuardedNms(limits, {
    onPublishRequest: (session, body) => pipe.send({ kind: 'publish-request', session: session.number, body }),
    onMedia: (session, tag) => {
      if (!pipe.send({ kind: 'media', session: session.number, tag, arrivalTime: epochMicroseconds() })) {
        nms?.setReading(false);
      }
    },
    onEnd: reportEnd,
    onConnection: () => tally('connected'),
    onRefused: (code) => tally('refused', code),
  });
  try {
    const opened = await nms.listen(host, port);
    pipe.send({ kind: 'listening', session: 0, body: { port: opened } });
  } catch (error) {
    pipe.send({ kind: 'failed', session: 0, body: { message: error instanceof Error ? error.message : 'unknown' } });
  }
}

/** The end of a connection that asked to publish is a frame of its own and counted by the server; all others are only counted. */
function reportEnd(session: GuardedSession, { hasAsked, how, code, sentence }: SessionEnd): void {
  if (hasAsked) {
    const reason = code === undefined ? {} : { code, sentence: sentence ?? '' };
    pipe.send({ kind: 'closed', session: session.number, body: { how, ...reason } });
  } else {
    tally('dropped', code);
  }
}

function tally(kind: ConnectionTally['kind'], code?: PeerErrorCode): void {
  tallies.add(kind, code);
  tallyTimer ??= setTimeout(sendAlive, TALLY_MS);
}

function sendAlive(): void {
  tallyTimer = null;
  const body = {
    rssBytes: process.memoryUsage.rss(),
    connections: nms?.connections ?? 0,
    tallies: tallies.take(),
  };
  pipe.send({ kind: 'alive', session: 0, body });
}

setInterval(sendAlive, ALIVE_MS);
