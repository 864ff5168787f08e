// One publisher on `tessera.1`: its key, its tracks and objects into a PublisherSlot, acknowledgements back. /publish/STREAM.

import { assertNever } from '../../../shared/assert.ts';
import { ProtocolError, type PeerErrorCode } from '../../../shared/errors.ts';
import type { StreamId } from '../../../shared/media/brands.ts';
import { parseControl } from '../../../shared/protocol/control-message.ts';
import { decodeObjects } from '../../../shared/protocol/object-header.ts';
import { FROM_PUBLISHER, type FromPublisher } from '../../../shared/protocol/publisher-messages.ts';
import { MAX_CONTROL_BYTES } from '../../../shared/protocol/subprotocol.ts';
import { trackConfigFromWire } from '../../../shared/protocol/track-message.ts';
import { parseDataLines } from '../../../shared/telemetry/data-lines.ts';
import { Liveness } from '../../platform/liveness.ts';
import { MessageBudget } from '../../platform/message-budget.ts';
import type { PeerHandler, WebSocketPeer } from '../../platform/web-socket-peer.ts';
import type { PublisherSlot, PublishRequest } from '../../streams/roles.ts';
import { PublisherTracks } from './publisher-tracks.ts';
import type { PublishContext } from './publish-context.ts';

/** What a publisher may send before its key is known: one `hello`. */
const MAX_UNKNOWN_BYTES = 4096;
/** Often enough for a publisher to notice a queue before it is long. */
const ACK_MS = 100;
const CONTROLS = { perSecond: 50, burst: 200 } as const;
const MAX_DATA_LINES = 256;

export class PublisherSession implements PeerHandler {
  private readonly context: PublishContext;
  private readonly peer: WebSocketPeer;
  private readonly streamId: StreamId;
  private readonly onGone: () => void;
  private readonly tracks: PublisherTracks;
  private readonly liveness: Liveness;
  private readonly budget: MessageBudget;
  private readonly becomeKnown: () => void;
  private readonly cancels: (() => void)[] = [];
  private slot: PublisherSlot | null = null;
  private objects = 0;
  private bytes = 0;
  private isGone = false;

  constructor(context: PublishContext, peer: WebSocketPeer, streamId: StreamId, onGone: () => void) {
    this.context = context;
    this.peer = peer;
    this.streamId = streamId;
    this.onGone = onGone;
    const now = context.clock.monotonicMs();
    this.tracks = new PublisherTracks(context.limits.publisherMessageBytes);
    this.liveness = new Liveness(context.limits.pingMs, now);
    this.budget = new MessageBudget(CONTROLS, now);
    this.becomeKnown = peer.boundUntilKnown(MAX_UNKNOWN_BYTES);
  }

  /** Waits for `hello`, or opens at once with the key of the address. Throws ProtocolError. */
  start(): void {
    const { clock, limits } = this.context;
    this.peer.listen(this);
    this.cancels.push(
      clock.after(limits.handshakeMs, () => {
        if (this.slot === null) {
          this.fail('timeout', `No key came within ${limits.handshakeMs} ms.`);
        }
      }),
    );
    const key = this.peer.request.query.get('key');
    if (key !== null) {
      this.guarded(() => {
        this.open(key);
      });
    }
  }

  /** Called every second. */
  tick(): void {
    const verdict = this.liveness.tick(this.context.clock.monotonicMs(), 0);
    if (verdict === 'ping') {
      this.peer.ping();
    } else if (verdict === 'dead') {
      this.peer.terminate();
    }
  }

  onText(text: string): void {
    this.heard();
    this.guarded(() => {
      if (text.length > MAX_CONTROL_BYTES) {
        throw new ProtocolError('too-big', 'A control message is too long.');
      }
      if (!this.budget.take(this.context.clock.monotonicMs())) {
        throw new ProtocolError('limit', 'Too many control messages.');
      }
      const message = parseControl(FROM_PUBLISHER, text);
      if (message !== null) {
        this.take(message);
      } else if (this.slot === null) {
        throw new ProtocolError('malformed', 'The first message must be hello.');
      }
    });
  }

  onBinary(message: Uint8Array): void {
    this.heard();
    this.guarded(() => {
      const slot = this.opened();
      const { clock } = this.context;
      const arrivalUs = Math.round(clock.epochMs() * 1000);
      for (const object of decodeObjects(message)) {
        if (object.kind === 'data') {
          this.takeData(object.payload);
        } else {
          const { name, unit, clockOffMs } = this.tracks.unitOf(object, arrivalUs);
          if (clockOffMs !== null) {
            slot.reportClock?.(clockOffMs);
          }
          slot.push(name, unit);
        }
        this.objects++;
      }
      this.bytes += message.length;
    });
  }

  onPong(): void {
    this.liveness.ponged(this.context.clock.monotonicMs());
  }

  onDrain(): void {
    // acknowledgements are small; nothing waits for room
  }

  onClose(): void {
    const { closedFor } = this.peer;
    if (!this.isGone && closedFor !== null) {
      this.context.refused(closedFor, this.streamId); // a breach that the WebSocket layer closed for
    }
    this.gone('lost');
  }

  private take(message: FromPublisher): void {
    switch (message.type) {
      case 'hello':
        if (this.slot === null) {
          this.open(message.key ?? '');
        }
        break;
      case 'track': {
        const slot = this.opened();
        const config = trackConfigFromWire(message.config);
        this.tracks.announce(message.id, message.name, config);
        slot.setTrack(message.name, config);
        break;
      }
      case 'clock': {
        this.opened();
        const t1 = this.context.clock.epochMs();
        this.peer.send({ type: 'clock', t0: message.t0, t1, t2: this.context.clock.epochMs() });
        break;
      }
      case 'end':
        this.opened();
        this.gone('finished');
        this.peer.goodbye();
        break;
      default:
        assertNever(message);
    }
  }

  private takeData(payload: Uint8Array): void {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8');
    const events = parseDataLines(text, this.streamId, MAX_DATA_LINES);
    if (this.context.takeEvents(this.streamId, events.length)) {
      for (const event of events) {
        this.context.reporter.report(event);
      }
    } // else counted and left out: a flood of numbers is no reason to end the picture
  }

  private open(key: string): void {
    const slot = this.admitted(key);
    if (slot === null) {
      return;
    }
    const { clock, limits } = this.context;
    this.slot = slot;
    this.becomeKnown();
    this.peer.send({
      type: 'welcome',
      stream: this.streamId,
      epoch: slot.epoch,
      session: slot.session ?? '',
      limits: { messageBytes: limits.publisherMessageBytes, tracks: limits.tracksPerPublisher },
    });
    this.cancels.push(
      clock.every(ACK_MS, () => {
        this.acknowledge(slot);
      }),
    );
  }

  /** The slot, or null when the admission refused: it has counted that itself. */
  private admitted(key: string): PublisherSlot | null {
    try {
      return this.context.admission.open(this.requestWith(key));
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      this.peer.refuse(error.code, error.message);
      this.gone('lost');
      return null;
    }
  }

  private requestWith(key: string): PublishRequest {
    return {
      streamId: this.streamId,
      key,
      protocol: 'websocket',
      address: this.peer.request.address,
      onRevoked: (code, sentence) => {
        this.fail(code, sentence);
      },
      onKeyframeWanted: () => {
        this.peer.send({ type: 'keyframe', track: 'video' });
      },
    };
  }

  private acknowledge(slot: PublisherSlot): void {
    this.peer.send({
      type: 'ack',
      objects: this.objects,
      bytes: this.bytes,
      viewers: slot.viewerCount?.() ?? 0,
      at: this.context.clock.epochMs(),
    });
  }

  private opened(): PublisherSlot {
    if (this.slot === null) {
      throw new ProtocolError('malformed', 'The first message must be hello.');
    }
    return this.slot;
  }

  private heard(): void {
    this.liveness.heard(this.context.clock.monotonicMs());
  }

  private guarded(action: () => void): void {
    if (this.isGone) {
      return;
    }
    try {
      action();
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.fail(error.code, error.message);
      } else {
        this.context.logger.error({ err: error, stream: this.streamId }, 'a publisher was disconnected');
        this.fail('overloaded', 'The server could not take this.');
      }
    }
  }

  private fail(code: PeerErrorCode, sentence: string): void {
    this.context.refused(code, this.streamId);
    this.peer.refuse(code, sentence);
    this.gone('lost');
  }

  private gone(how: 'finished' | 'lost'): void {
    if (this.isGone) {
      return;
    }
    this.isGone = true;
    for (const cancel of this.cancels) {
      cancel();
    }
    this.becomeKnown();
    this.slot?.close(how);
    this.onGone();
  }
}
