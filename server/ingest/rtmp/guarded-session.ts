// One RTMP connection behind the guard: node-media-server's RtmpSession with every way in replaced by a checked one.
// The library keeps the handshake, the chunk parser, the command replies and the broadcast bookkeeping; commands are read by our
// bounded AMF0 reader, messages and chunk streams have limits, media is taken only from the approved publisher.
// Whatever breaks a rule ends this connection and nothing else. Created by guarded-nms.ts in the ingest process.

import type { Socket } from 'node:net';
import RtmpSession from 'node-media-server/src/session/rtmp_session.js';
import type { NmsMediaPacket } from 'node-media-server/src/session/rtmp_session.js';
import { isFlvTagType } from '../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import { ContainerError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { guardChunks } from './guarded-chunks.ts';
import type { ChunkBudget } from './guarded-chunks.ts';
import type { IngestLimits } from './packet-pipe.ts';
import { parseRtmpCommand, parsePublishName } from './rtmp-command.ts';
import type { RtmpCommand } from './rtmp-command.ts';

/** Before the key is accepted nobody may send big messages. */
const UNAUTHORISED_MESSAGE_BYTES = 64 * 1024;
const UNAUTHORISED_RESERVED_BYTES = 256 * 1024;
/** Media that may arrive while the key is being checked. */
const PENDING_TAG_BYTES = 256 * 1024;
/** The library forgets a publisher this long after its connection ended. */
const PUBLISH_GRACE_MS = 3000;
/** Time for the last status message to leave before the socket is destroyed. */
const LINGER_MS = 500;
/** Bytes received between two RTMP acknowledgements. */
const ACKNOWLEDGE_EVERY_BYTES = 1_250_000;
const RTMP_VERSION = 3;
const HANDSHAKE_DONE = 3;
const MAX_MESSAGE_STREAMS = 8;

export type GuardedSessionHooks = {
  /** The publisher asks; `approve` or `refuse` must follow. */
  readonly onPublishRequest: (
    session: GuardedSession,
    request: { readonly name: string; readonly key: string },
  ) => void;
  /** Media of the approved publisher; the data is valid during the call. */
  readonly onMedia: (session: GuardedSession, tag: FlvTag) => void;
  /** The connection is over for the ingest; called once. `code` is set when we ended it. */
  readonly onEnd: (session: GuardedSession, end: SessionEnd) => void;
};

export type SessionEnd = {
  /** It had asked to publish: the server knows of it. */
  readonly hasAsked: boolean;
  readonly how: 'finished' | 'lost';
  readonly code?: PeerErrorCode;
  readonly sentence?: string;
};

type State = 'handshake' | 'open' | 'authorising' | 'publishing' | 'over';

/** Stops the library's parser in the middle of a chunk of input. */
class StopParsing extends Error {}

export class GuardedSession {
  readonly number: number;
  readonly socket: Socket;
  readonly #session: RtmpSession;
  readonly #hooks: GuardedSessionHooks;
  readonly #limits: IngestLimits;
  readonly #openedAt = performance.now();
  #state: State = 'handshake';
  #lastMediaAt = performance.now();
  #hasConnected = false;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #streamName = '';
  #pendingTags: FlvTag[] = [];
  #pendingBytes = 0;

  constructor(
    number: number,
    socket: Socket,
    context: { readonly hooks: GuardedSessionHooks; readonly limits: IngestLimits; readonly budget: ChunkBudget },
  ) {
    this.number = number;
    this.socket = socket;
    this.#hooks = context.hooks;
    this.#limits = context.limits;
    this.#session = new RtmpSession(socket);
    this.#takeOver(context.budget);
    this.#session.run();
  }

  get address(): string {
    return this.socket.remoteAddress ?? '';
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** The key is right: the library registers the publisher and sends NetStream.Publish.Start. */
  approve(): void {
    if (this.#state !== 'authorising') {
      return;
    }
    const { rtmp } = this.#session;
    this.#session.onConnect({ app: rtmp.streamApp, name: this.#streamName, host: rtmp.streamHost, query: {} });
    const { broadcast } = this.#session;
    broadcast.publishGraceMs = PUBLISH_GRACE_MS;
    broadcast.broadcastMessage = (packet) => this.#takeMedia(packet);
    this.#session.onPush();
    if (broadcast.publisher !== this.#session) {
      this.end('busy', 'The stream has a publisher.');
      return;
    }
    this.#state = 'publishing';
    this.#lastMediaAt = performance.now();
    rtmp.respondPublish();
    const pending = this.#pendingTags;
    this.#pendingTags = [];
    pending.forEach((tag) => this.#hooks.onMedia(this, tag));
    this.socket.resume();
  }

  /** Ends the connection with a coded reason; the peer is told in RTMP's words where it can understand them. */
  end(code: PeerErrorCode, sentence: string): void {
    if (this.#state === 'over') {
      return;
    }
    const state = this.#state;
    this.#finish({ how: 'lost', code, sentence });
    if (state === 'handshake') {
      this.socket.destroy();
      return;
    }
    const { rtmp } = this.#session;
    const description = `${code}: ${sentence}`;
    if (this.#hasConnected) {
      rtmp.sendStatusMessage(rtmp.streamId, 'error', 'NetStream.Publish.BadName', description);
    } else {
      const info = { level: 'error', code: 'NetConnection.Connect.Rejected', description };
      rtmp.setChunkSize(rtmp.outChunkSize); // the library writes bigger chunks than it has announced yet
      rtmp.sendInvokeMessage(0, { cmd: '_error', transId: 1, cmdObj: null, info });
    }
    this.#lingerAndDestroy();
  }

  /** The pipe to the server is full: a publisher's data stays in the kernel until resumeReading. */
  pauseReading(): void {
    if (this.#state === 'publishing') {
      this.socket.pause();
    }
  }

  resumeReading(): void {
    if (this.#state === 'publishing') {
      this.socket.resume();
    }
  }

  /** Ends the connection when it is too slow or silent. `now` as performance.now(). */
  checkDeadlines(now: number): void {
    const { handshakeMs, idleMs } = this.#limits;
    if (this.#state === 'handshake' && now - this.#openedAt > handshakeMs) {
      this.end('timeout', `The RTMP handshake took longer than ${handshakeMs / 1000} s.`);
    } else if (this.#state === 'open' && now - this.#openedAt > handshakeMs + idleMs) {
      this.end('timeout', 'Nothing was published.');
    } else if (this.#state === 'authorising' && now - this.#lastMediaAt > handshakeMs) {
      this.end('overloaded', 'The server could not check the key in time.');
    } else if (this.#state === 'publishing' && now - this.#lastMediaAt > idleMs) {
      this.end('timeout', `No media came for ${idleMs / 1000} s.`);
    }
  }

  /** Replaces what the library would do with untrusted input. Private fields of node-media-server 4.4.3. */
  #takeOver(budget: ChunkBudget): void {
    const session = this.#session;
    const { rtmp } = session;
    rtmp.flv = null; // an FLV file parser of 1 MiB that RTMP never uses
    guardChunks(rtmp, budget, {
      isOver: () => this.#state === 'over',
      stop: () => new StopParsing(),
      maxMessageBytes: () => (this.#isTrusted ? this.#limits.messageBytes : UNAUTHORISED_MESSAGE_BYTES),
      maxReservedBytes: () => (this.#isTrusted ? 2 * this.#limits.messageBytes : UNAUTHORISED_RESERVED_BYTES),
    });
    rtmp.invokeHandler = () => this.#takeCommand();
    rtmp.dataHandler = () => this.#takeData();
    session.onData = (data) => this.#receive(data);
    session.onPlay = () => this.end('no-such-stream', 'Playing over RTMP is not offered.');
    session.onPacket = (packet) => {
      if (this.#state === 'publishing' && session.broadcast.publisher === session) {
        session.broadcast.broadcastMessage(packet);
      }
    };
    const { onClose } = session;
    session.onClose = () => {
      this.#finish({ how: 'lost' });
      budget.release(rtmp);
      onClose();
    };
  }

  get #isTrusted(): boolean {
    return this.#state === 'publishing';
  }

  #receive(data: Buffer): void {
    if (this.#state === 'over') {
      return;
    }
    try {
      if (this.#receivedBytes === 0 && data[0] !== RTMP_VERSION) {
        throw new ProtocolError('malformed', 'The peer does not speak RTMP version 3.');
      }
      this.#receivedBytes += data.length;
      this.#session.rtmp.parserData(data);
      if (this.#state === 'handshake' && this.#session.rtmp.handshakeState === HANDSHAKE_DONE) {
        this.#state = 'open';
      }
      this.#acknowledge();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What a throw inside the parser means. */
  #fail(error: unknown): void {
    if (error instanceof StopParsing) {
      return;
    }
    if (error instanceof ProtocolError) {
      this.end(error.code, error.message);
    } else if (error instanceof ContainerError) {
      this.end('malformed', error.message);
    } else {
      this.end('malformed', 'An RTMP message could not be read.'); // the library's own throw
    }
  }

  #acknowledge(): void {
    if (this.#state !== 'over' && this.#receivedBytes - this.#acknowledgedBytes >= ACKNOWLEDGE_EVERY_BYTES) {
      this.#acknowledgedBytes = this.#receivedBytes;
      this.#session.rtmp.sendACK(this.#receivedBytes >>> 0);
    }
  }

  #takeCommand(): void {
    const { header, payload } = this.#session.rtmp.parserPacket;
    // Data of the C2 packet and the first commands can share a chunk of input.
    if (this.#state === 'handshake') {
      this.#state = 'open';
    }
    this.#run(parseRtmpCommand(header.type, payload.subarray(0, header.length)), header.stream_id);
  }

  #run(command: RtmpCommand, messageStreamId: number): void {
    const { rtmp } = this.#session;
    switch (command.name) {
      case 'connect':
        rtmp.onConnect({ cmd: 'connect', transId: command.transaction, cmdObj: command.properties });
        this.#hasConnected = true;
        break;
      case 'createStream':
        if (rtmp.streams >= MAX_MESSAGE_STREAMS) {
          throw new ProtocolError('limit', `A connection has at most ${MAX_MESSAGE_STREAMS} message streams.`);
        }
        rtmp.onCreateStream({ transId: command.transaction });
        break;
      case 'publish':
        rtmp.streamId = messageStreamId;
        this.#requestPublish(command.streamName);
        break;
      case 'play':
        rtmp.streamId = messageStreamId;
        throw new ProtocolError('no-such-stream', 'Playing over RTMP is not offered; use /live/STREAM.flv.');
      case 'goodbye':
        this.#sayGoodbye();
        break;
      case 'other':
        break;
    }
  }

  #requestPublish(streamName: string): void {
    if (!this.#hasConnected) {
      throw new ProtocolError('malformed', 'publish came before connect.');
    }
    if (this.#state !== 'open') {
      throw new ProtocolError('malformed', 'publish came twice on one connection.');
    }
    const { name, key } = parsePublishName(streamName);
    this.#streamName = name;
    this.#session.rtmp.streamName = name;
    this.#state = 'authorising';
    this.#lastMediaAt = performance.now();
    this.socket.pause();
    this.#hooks.onPublishRequest(this, { name, key });
  }

  /** FCUnpublish comes first, deleteStream ends it. */
  #sayGoodbye(): void {
    if (this.#state === 'publishing') {
      this.#finish({ how: 'finished' });
      this.#lingerAndDestroy();
    }
  }

  #takeData(): void {
    const { header } = this.#session.rtmp.parserPacket;
    if (!isFlvTagType(header.type)) {
      return; // AMF3 data
    }
    if (this.#state !== 'publishing' && this.#state !== 'authorising') {
      throw new ProtocolError('malformed', 'Media came from a connection that does not publish.');
    }
    if (header.length === 0) {
      return; // a sign of life of some publishers, which the library reads past
    }
    const { payload, clock } = this.#session.rtmp.parserPacket;
    const data = payload.subarray(0, header.length);
    if (this.#state === 'authorising') {
      this.#keepPending({ type: header.type, timestamp: clock >>> 0, data: Uint8Array.from(data) });
      return;
    }
    this.#session.onPacket({ codec_type: header.type, dts: clock >>> 0, size: header.length, data: payload });
  }

  #keepPending(tag: FlvTag): void {
    this.#pendingBytes += tag.data.length;
    if (this.#pendingBytes > PENDING_TAG_BYTES) {
      throw new ProtocolError('too-big', 'Too much media came before Publish.Start.');
    }
    this.#pendingTags.push(tag);
  }

  #takeMedia(packet: NmsMediaPacket): void {
    if (!isFlvTagType(packet.codec_type)) {
      return;
    }
    this.#lastMediaAt = performance.now();
    const data = packet.data.subarray(0, packet.size);
    this.#hooks.onMedia(this, { type: packet.codec_type, timestamp: packet.dts, data });
  }

  /** Marks the session as over, frees the stream path, tells the owner. Later calls do nothing. */
  #finish(end: Omit<SessionEnd, 'hasAsked'>): void {
    if (this.#state === 'over') {
      return;
    }
    const hasAsked = this.#state === 'authorising' || this.#state === 'publishing';
    this.#state = 'over';
    this.#pendingTags = [];
    this.#session.broadcast.donePublish(this.#session);
    this.#hooks.onEnd(this, { ...end, hasAsked });
  }

  /** Lets what was written leave, ignores what still comes, then destroys. */
  #lingerAndDestroy(): void {
    const { socket } = this;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.resume();
    socket.end();
  }
}
