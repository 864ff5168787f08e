// FLV viewers, over HTTP and over WebSocket: /live/STREAM.flv?rendition=NAME (default `source`). For players that exist:
// mpegts.js, VLC, ffplay. They have no way to report or to change the rendition; what they see is counted as delivered.
// Audio that they do not take comes as AAC where that can be made, else they go without.

import { randomUUID } from 'node:crypto';
import { ProtocolError, type PeerErrorCode } from '../../shared/errors.ts';
import { parseStreamId } from '../../shared/media/brands.ts';
import { flvCodecOf } from '../../shared/containers/flv/flv-muxer.ts';
import type { PeerHandler, PeerRequest, WebSocketPeer } from '../platform/web-socket-peer.ts';
import { Liveness } from '../platform/liveness.ts';
import type { Stream } from '../streams/stream.ts';
import type { ChannelSet } from './channel-set.ts';
import type { DeliveryContext } from './delivery-context.ts';
import { httpFlvFormat, webSocketFlvFormat } from './flv-format.ts';
import { startWhenTracksAreKnown } from './flv-start.ts';
import { chooseRendition } from './rendition-choice.ts';
import { RenditionFollower } from './rendition-follower.ts';
import { Subscriber, type Outlet } from './subscriber.ts';
import type { ViewerLimits } from './viewer-limits.ts';
import { findStream, requestedRendition } from './websocket-delivery.ts';
import type { WireFormat } from './wire-format.ts';

const TICK_MS = 1000;
const LAST_UNITS_MS = 2000;

/** The connection of an FLV viewer. */
export interface FlvOutlet extends Outlet {
  readonly takenBytes: number;
  /** False for HTTP: there, taking bytes is the only sign of life. */
  readonly answersPings: boolean;
  /** Ends the connection; with a code and a sentence where the protocol can carry them. */
  end(code: PeerErrorCode, sentence: string): void;
  terminate(): void;
  ping(): void;
}

type Viewer = {
  readonly outlet: FlvOutlet;
  takenBytes: number;
  readonly liveness: Liveness;
  readonly subscriber: Subscriber;
  readonly leave: (reason: string) => void;
};

export class FlvDelivery {
  private readonly context: DeliveryContext;
  private readonly channels: ChannelSet;
  private readonly limits: ViewerLimits;
  private readonly viewers = new Set<Viewer>();
  private readonly toldWithoutAudio = new WeakSet<Stream>();
  private readonly stopTicking: () => void;

  constructor(context: DeliveryContext, channels: ChannelSet, limits: ViewerLimits) {
    this.context = context;
    this.channels = channels;
    this.limits = limits;
    this.stopTicking = context.clock.every(TICK_MS, () => {
      this.tick();
    });
  }

  /** Whether /live/`name`.flv can be watched: what `watchHttp` would throw, before anything is written. */
  check(name: string, request: Pick<PeerRequest, 'query'>): void {
    this.find(name, request);
  }

  /** Takes an HTTP response whose head has been written. Throws ProtocolError before it writes anything. */
  watchHttp(outlet: FlvOutlet, name: string, request: PeerRequest): { onDrain(): void; onClose(): void } {
    const viewer = this.admit(outlet, httpFlvFormat, name, request);
    return {
      onDrain: () => {
        viewer.subscriber.pump();
      },
      onClose: () => {
        viewer.leave('left');
      },
    };
  }

  /** Takes an accepted WebSocket of /live/`name`.flv. */
  accept(peer: WebSocketPeer, name: string): void {
    const outlet: FlvOutlet = {
      answersPings: true,
      get waitingBytes() {
        return peer.waitingBytes;
      },
      get takenBytes() {
        return peer.takenBytes;
      },
      write: (chunks) => {
        peer.write(chunks);
      },
      end: (code, sentence) => {
        peer.close(code, sentence);
      },
      terminate: () => {
        peer.terminate();
      },
      ping: () => {
        peer.ping();
      },
    };
    try {
      peer.listen(this.handlerOf(this.admit(outlet, webSocketFlvFormat, name, peer.request), peer));
    } catch (error) {
      const { code, message } =
        error instanceof ProtocolError ? error : new ProtocolError('overloaded', 'The server cannot serve this now.');
      this.context.registry.refused(code, 'flv', parseStreamId(name) ?? '');
      peer.close(code, message);
    }
  }

  /** Tells every viewer that the server stops. */
  drain(): void {
    this.stopTicking();
    for (const viewer of [...this.viewers]) {
      viewer.outlet.end('overloaded', 'The server is shutting down.');
      viewer.leave('overloaded');
    }
  }

  private handlerOf(viewer: Viewer, peer: WebSocketPeer): PeerHandler {
    const { clock } = this.context;
    const refuse = (): void => {
      peer.close('malformed', 'An FLV viewer sends nothing.');
      viewer.leave('malformed');
    };
    return {
      onText: refuse,
      onBinary: refuse,
      onPong: () => {
        viewer.liveness.ponged(clock.monotonicMs());
        viewer.subscriber.resume();
      },
      onDrain: () => {
        viewer.subscriber.pump();
      },
      onClose: () => {
        viewer.leave('left');
      },
    };
  }

  private find(name: string, { query }: Pick<PeerRequest, 'query'>): { stream: Stream; rendition: string } {
    const stream = findStream(this.context, name);
    const requested = requestedRendition(query, 'source');
    const choice = chooseRendition(requested, stream.tracks);
    if (requested !== 'auto' && choice.rendition !== requested) {
      throw new ProtocolError('no-such-stream', choice.reason ?? `There is no rendition ${requested}.`);
    }
    const config = stream.tracks.source?.config ?? null;
    if (choice.rendition === 'source' && config !== null && flvCodecOf(config) === null) {
      throw new ProtocolError('unsupported-codec', `FLV cannot carry ${config.codec}.`);
    }
    return { stream, rendition: choice.rendition };
  }

  private admit(outlet: FlvOutlet, format: WireFormat, name: string, request: PeerRequest): Viewer {
    const { context } = this;
    const { stream, rendition } = this.find(name, request);
    const releaseLimit = this.limits.enter(request.address);
    const session = randomUUID();
    const subscriber = new Subscriber({
      outlet,
      framing: format.framing,
      limits: { maxBytes: context.limits.subscriberQueueBytes, maxAgeMs: context.limits.subscriberQueueMs },
      clock: context.clock,
      onDrop: (reason, units) => {
        context.counters.drops.inc({ reason }, units);
      },
    });
    let starts = 0;
    const follower = new RenditionFollower({
      context,
      channels: this.channels,
      stream,
      subscriber,
      flushClass: 'realtime',
      format,
      requested: rendition,
      canSwitch: false,
      onChoice: (choice) => {
        // The file header says which tracks there are: there is no way to go on with another rendition.
        if (++starts > 1) {
          queueMicrotask(() => {
            outlet.end('ended', choice.reason ?? 'The rendition has ended.');
            leave('ended');
          });
        }
      },
    });
    this.report('view-start', { stream, session, rendition });
    const start = startWhenTracksAreKnown({
      context,
      stream,
      format,
      onReady: () => {
        follower.start();
      },
      onWithoutAudio: (reason) => {
        this.startsWithoutAudio(stream, reason);
      },
    });
    const releases = [releaseLimit, stream.addViewer(), start];
    const stopListening = stream.listen((change) => {
      if (change === 'state' && stream.state.kind === 'ended') {
        setImmediate(() => {
          subscriber.finish(LAST_UNITS_MS, () => {
            outlet.end('ended', 'The stream has ended.');
            leave('ended');
          });
        });
      }
    });
    const leave = (reason: string): void => {
      if (this.viewers.delete(viewer)) {
        stopListening();
        follower.close();
        for (const release of releases) {
          release();
        }
        this.report('view-end', { stream, session, rendition, reason });
      }
    };
    const liveness = new Liveness(context.limits.pingMs, context.clock.monotonicMs());
    const viewer: Viewer = { outlet, takenBytes: 0, liveness, subscriber, leave };
    this.viewers.add(viewer);
    return viewer;
  }

  private startsWithoutAudio(stream: Stream, reason: string): void {
    this.context.counters.withoutAudio.inc();
    if (!this.toldWithoutAudio.has(stream)) {
      this.toldWithoutAudio.add(stream);
      this.context.logger.warn({ stream: stream.id, reason }, 'FLV viewers go without the audio of a stream');
    }
  }

  private tick(): void {
    const { clock, counters, limits } = this.context;
    const now = clock.monotonicMs();
    for (const viewer of this.viewers) {
      this.noteProgress(viewer, now);
      switch (viewer.liveness.tick(now, viewer.outlet.takenBytes)) {
        case 'ping':
          viewer.outlet.ping();
          break;
        case 'dead':
          counters.deadViewers.inc();
          viewer.outlet.terminate();
          viewer.leave('timeout');
          break;
        case 'ok':
          if (viewer.liveness.unansweredMs(now) > limits.subscriberQueueMs) {
            viewer.subscriber.hold();
          }
          break;
      }
    }
  }

  /** A player over HTTP has answered when nothing waits for it, or less than before. */
  private noteProgress(viewer: Viewer, now: number): void {
    const { outlet, liveness } = viewer;
    if (!outlet.answersPings && (outlet.waitingBytes === 0 || outlet.takenBytes > viewer.takenBytes)) {
      viewer.takenBytes = outlet.takenBytes;
      liveness.ponged(now);
      viewer.subscriber.resume();
    }
  }

  private report(
    type: 'view-start' | 'view-end',
    view: { readonly stream: Stream; readonly session: string; readonly rendition: string; readonly reason?: string },
  ): void {
    const { stream, ...rest } = view;
    this.context.reporter.report({
      type,
      topic: 'session',
      stream: stream.id,
      ts: Math.round(this.context.clock.epochMs()),
      epoch: stream.epoch,
      protocol: 'flv',
      ...rest,
    });
  }
}
