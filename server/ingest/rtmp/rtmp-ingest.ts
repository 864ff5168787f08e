// RTMP ingest, the server's side: asks the stream registry who may publish, turns the messages that the ingest process passes on
// into tracks and access units of a PublisherSlot, and keeps the process running. Created by the composition root.

import { FlvDemuxer } from '../../../shared/containers/flv/flv-demuxer.ts';
import type { VideoDescriber } from '../../../shared/containers/flv/flv-demuxer.ts';
import { BitstreamError, ContainerError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { parseStreamId } from '../../../shared/media/brands.ts';
import type { StreamId } from '../../../shared/media/brands.ts';
import type { PublishAdmission, PublisherSlot } from '../../streams/roles.ts';
import { IngestChild } from './ingest-child.ts';
import { MAX_MESSAGE_BYTES } from './packet-pipe.ts';
import type { ConnectionTally, IngestLimits, PipeFrame } from './packet-pipe.ts';

/** What happened at the RTMP door, each thing once: for metrics, telemetry and the log. */
export type RtmpIngestEvent =
  /** `count` TCP connections were accepted. */
  | { readonly kind: 'connected'; readonly count: number }
  /** `count` connections were turned away before a word: too many. */
  | { readonly kind: 'turned-away'; readonly code: PeerErrorCode; readonly count: number }
  /** `count` connections ended without having asked to publish; with a code when we dropped them. */
  | { readonly kind: 'dropped'; readonly code?: PeerErrorCode; readonly count: number }
  /** A publisher was refused: key, name, limit. */
  | { readonly kind: 'refused'; readonly code: PeerErrorCode; readonly sentence: string; readonly stream?: StreamId }
  | { readonly kind: 'published'; readonly stream: StreamId; readonly epoch: number }
  /** A publisher is gone; with a code when it was disconnected by us. */
  | {
      readonly kind: 'ended';
      readonly stream: StreamId;
      readonly how: 'finished' | 'lost' | 'revoked';
      readonly code?: PeerErrorCode;
      readonly sentence?: string;
    }
  /** Something of ours threw while it took a publisher's message: a bug. The publisher was refused as `overloaded`. */
  | { readonly kind: 'fault'; readonly error: Error }
  /** The ingest process died and is being replaced. */
  | { readonly kind: 'restarted'; readonly reason: string };

export type RtmpIngestOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly admission: PublishAdmission;
  readonly describeVideo: VideoDescriber;
  readonly limits?: Partial<IngestLimits>;
  readonly onEvent?: (event: RtmpIngestEvent) => void;
};

/** What the ingest process last said about itself. */
export type RtmpIngestStatus = {
  readonly pid: number | null;
  readonly rssBytes: number;
  readonly connections: number;
  readonly publishers: number;
};

const DEFAULT_LIMITS: IngestLimits = {
  connections: 600,
  connectionsPerAddress: 64,
  messageBytes: 4_000_000,
  handshakeMs: 5000,
  idleMs: 10_000,
};

type Publisher = { readonly slot: PublisherSlot; readonly demuxer: FlvDemuxer };

export class RtmpIngest {
  readonly #options: RtmpIngestOptions;
  readonly #child: IngestChild;
  readonly #publishers = new Map<number, Publisher>();
  #port: number | null = null;
  #rssBytes = 0;
  #connections = 0;

  constructor(options: RtmpIngestOptions) {
    this.#options = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const messageBytes = Math.min(limits.messageBytes, MAX_MESSAGE_BYTES);
    this.#child = new IngestChild(
      { host: options.host, port: options.port, limits: { ...limits, messageBytes } },
      {
        onFrame: (frame) => this.#takeFrame(frame),
        onDeath: (reason) => this.#childDied(reason),
        onListening: (port) => (this.#port = port),
      },
    );
  }

  /** Resolves with the port when connections are accepted. Rejects with one sentence when the port cannot be opened. */
  async start(): Promise<number> {
    await this.#child.start();
    if (this.#port === null) {
      throw new Error('The RTMP ingest listens on no port.');
    }
    return this.#port;
  }

  /** The TCP port; null while nobody listens. */
  get port(): number | null {
    return this.#port;
  }

  get status(): RtmpIngestStatus {
    return {
      pid: this.#child.pid,
      rssBytes: this.#rssBytes,
      connections: this.#connections,
      publishers: this.#publishers.size,
    };
  }

  /** Tells the publishers that the server stops, closes their slots as lost and ends the process. */
  async stop(): Promise<void> {
    for (const [session, { slot }] of this.#publishers) {
      this.#refuse(session, 'overloaded', 'The server is stopping.');
      slot.close('lost');
    }
    this.#publishers.clear();
    await this.#child.stop();
  }

  #takeFrame(frame: PipeFrame): void {
    switch (frame.kind) {
      case 'publish-request':
        this.#admit(frame.session, frame.body);
        break;
      case 'media':
        this.#takeMedia(frame);
        break;
      case 'closed':
        this.#closed(frame.session, frame.body);
        break;
      case 'alive':
        this.#rssBytes = frame.body.rssBytes;
        this.#connections = frame.body.connections;
        frame.body.tallies.forEach((tally) => this.#report(tallyEvent(tally)));
        break;
      default:
        break; // frames of the other direction
    }
  }

  #admit(session: number, request: Extract<PipeFrame, { kind: 'publish-request' }>['body']): void {
    const streamId = parseStreamId(request.name);
    try {
      if (streamId === null) {
        throw new ProtocolError('malformed', 'A stream name has 1 to 64 letters, digits, "-" or "_".');
      }
      const slot = this.#options.admission.open({
        streamId,
        key: request.key,
        protocol: 'rtmp',
        address: request.address,
        onRevoked: (code, sentence) => this.#revoked(session, code, sentence),
      });
      this.#publishers.set(session, { slot, demuxer: this.#demuxerInto(slot) });
      this.#child.send({ kind: 'approve', session, body: {} });
      this.#report({ kind: 'published', stream: streamId, epoch: slot.epoch });
    } catch (error) {
      const { code, message } = this.#refusalOf(error);
      this.#refuse(session, code, message);
      const stream = streamId === null ? {} : { stream: streamId };
      this.#report({ kind: 'refused', code, sentence: message, ...stream });
    }
  }

  #demuxerInto(slot: PublisherSlot): FlvDemuxer {
    return new FlvDemuxer({
      describeVideo: this.#options.describeVideo,
      onTrack: (name, config) => slot.setTrack(name, config),
      onUnit: (name, unit) => slot.push(name, unit),
    });
  }

  #takeMedia({ session, tag, arrivalTime }: Extract<PipeFrame, { kind: 'media' }>): void {
    const publisher = this.#publishers.get(session);
    if (publisher === undefined) {
      return; // on its way when the publisher was refused
    }
    try {
      publisher.demuxer.push(tag, arrivalTime);
    } catch (error) {
      const { code, message } = this.#refusalOf(error);
      this.#publishers.delete(session);
      this.#refuse(session, code, message);
      publisher.slot.close('lost');
      this.#report({ kind: 'ended', stream: publisher.slot.streamId, how: 'lost', code, sentence: message });
    }
  }

  /** The stream gave the slot to somebody else, or the operator stopped it. */
  #revoked(session: number, code: PeerErrorCode, sentence: string): void {
    const publisher = this.#publishers.get(session);
    if (publisher !== undefined) {
      this.#publishers.delete(session);
      this.#refuse(session, code, sentence);
      this.#report({ kind: 'ended', stream: publisher.slot.streamId, how: 'revoked', code, sentence });
    }
  }

  #closed(session: number, { how, code, sentence }: Extract<PipeFrame, { kind: 'closed' }>['body']): void {
    const publisher = this.#publishers.get(session);
    if (publisher === undefined) {
      return; // already counted where it was refused or revoked
    }
    this.#publishers.delete(session);
    publisher.slot.close(how);
    const reason = code === undefined ? {} : { code, sentence: sentence ?? '' };
    this.#report({ kind: 'ended', stream: publisher.slot.streamId, how, ...reason });
  }

  #childDied(reason: string): void {
    const lost = [...this.#publishers.values()];
    this.#publishers.clear();
    this.#connections = 0;
    this.#report({ kind: 'restarted', reason });
    for (const { slot } of lost) {
      slot.close('lost');
      this.#report({ kind: 'ended', stream: slot.streamId, how: 'lost' });
    }
  }

  /** The code and sentence for a publisher whose request or media made us throw. Our own bugs are reported, and never a crash. */
  #refusalOf(error: unknown): { readonly code: PeerErrorCode; readonly message: string } {
    if (error instanceof ProtocolError) {
      return { code: error.code, message: error.message };
    }
    if (error instanceof ContainerError || error instanceof BitstreamError) {
      return { code: 'malformed', message: error.message };
    }
    this.#report({ kind: 'fault', error: error instanceof Error ? error : new Error(String(error)) });
    return { code: 'overloaded', message: 'The server could not take the stream.' };
  }

  #refuse(session: number, code: PeerErrorCode, sentence: string): void {
    this.#child.send({ kind: 'refuse', session, body: { code, sentence } });
  }

  #report(event: RtmpIngestEvent): void {
    this.#options.onEvent?.(event);
  }
}

function tallyEvent({ kind, code, count }: ConnectionTally): RtmpIngestEvent {
  switch (kind) {
    case 'connected':
      return { kind, count };
    case 'refused':
      return { kind: 'turned-away', code: code ?? 'limit', count };
    case 'dropped':
      return code === undefined ? { kind, count } : { kind, code, count };
  }
}
