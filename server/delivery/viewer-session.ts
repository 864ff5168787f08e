// One viewer on `tessera.1`: welcome, the rendition it sees, its clock, reports and losses, and its end. /subscribe/STREAM.

import { randomUUID } from 'node:crypto';
import { assertNever } from '../../shared/assert.ts';
import { ProtocolError, type PeerErrorCode } from '../../shared/errors.ts';
import { parseControl } from '../../shared/protocol/control-message.ts';
import type { RenditionInfo } from '../../shared/protocol/viewer-messages.ts';
import { FROM_VIEWER, type FromViewer } from '../../shared/protocol/viewer-requests.ts';
import { Liveness } from '../platform/liveness.ts';
import { MessageBudget } from '../platform/message-budget.ts';
import type { PeerHandler, WebSocketPeer } from '../platform/web-socket-peer.ts';
import { viewerState } from '../streams/stream-state.ts';
import type { Stream, StreamChange } from '../streams/stream.ts';
import type { FlushClass } from './channel.ts';
import type { ChannelSet } from './channel-set.ts';
import type { DeliveryContext } from './delivery-context.ts';
import type { Choice } from './rendition-choice.ts';
import { RenditionFollower } from './rendition-follower.ts';
import { Subscriber } from './subscriber.ts';
import { clampReport, networkLagMs } from './viewer-report.ts';
import { stateMessage, tesseraFormat } from './wire-format.ts';

/** What a viewer may send: reports, clock questions and selections are a few per second. */
const MESSAGES = { perSecond: 20, burst: 100 } as const;
const MIN_REPORT_MS = 200;
/** After the end of a stream a viewer has this long to take what still waits for it. */
const LAST_UNITS_MS = 2000;

export type ViewerOptions = {
  readonly context: DeliveryContext;
  readonly channels: ChannelSet;
  readonly peer: WebSocketPeer;
  readonly stream: Stream;
  readonly requested: string;
  readonly flushClass: FlushClass;
  readonly onGone: () => void;
};

export class ViewerSession implements PeerHandler {
  readonly session = randomUUID();
  private readonly options: ViewerOptions;
  private readonly subscriber: Subscriber;
  private readonly follower: RenditionFollower;
  private readonly liveness: Liveness;
  private readonly budget: MessageBudget;
  private readonly releases: (() => void)[];
  private reason: string | undefined;
  private toldMenu = '';
  private readonly startedMs: number;
  private lastReportMs = Number.NEGATIVE_INFINITY;
  private isHeld = false;
  private isGone = false;

  constructor(options: ViewerOptions) {
    this.options = options;
    const { context, channels, peer, stream, flushClass, requested } = options;
    const now = context.clock.monotonicMs();
    this.startedMs = now;
    this.liveness = new Liveness(context.limits.pingMs, now);
    this.budget = new MessageBudget(MESSAGES, now);
    this.subscriber = new Subscriber({
      outlet: peer,
      framing: tesseraFormat.framing,
      limits: { maxBytes: context.limits.subscriberQueueBytes, maxAgeMs: context.limits.subscriberQueueMs },
      clock: context.clock,
      onDrop: (reason, units) => {
        context.counters.drops.inc({ reason }, units);
      },
    });
    this.follower = new RenditionFollower({
      context,
      channels,
      stream,
      subscriber: this.subscriber,
      flushClass,
      format: tesseraFormat,
      requested,
      canSwitch: true,
      onChoice: (choice) => {
        this.chosen(choice);
      },
    });
    this.releases = [
      stream.addViewer(),
      stream.listen((change) => {
        this.streamChanged(change);
      }),
    ];
  }

  /** Welcomes the viewer and starts delivery. */
  start(): void {
    this.report('view-start');
    this.options.peer.listen(this);
    this.follower.start();
  }

  get stream(): Stream {
    return this.options.stream;
  }

  /** The same viewer has come on a new connection: this one is dead. */
  replaced(): void {
    this.options.peer.terminate();
    this.gone('replaced');
  }

  /** Called every second. */
  tick(): void {
    const { context, peer } = this.options;
    const now = context.clock.monotonicMs();
    switch (this.liveness.tick(now, peer.takenBytes)) {
      case 'ping':
        peer.ping();
        break;
      case 'dead':
        context.counters.deadViewers.inc();
        peer.terminate();
        break;
      case 'ok':
        if (this.liveness.unansweredMs(now) > context.limits.subscriberQueueMs) {
          this.hold();
        }
        break;
    }
  }

  refuse(code: PeerErrorCode, sentence: string): void {
    this.options.peer.refuse(code, sentence);
    this.gone(code);
  }

  onText(text: string): void {
    const now = this.options.context.clock.monotonicMs();
    this.liveness.heard(now);
    if (!this.budget.take(now)) {
      this.options.context.registry.refused('limit', 'websocket', this.options.stream.id);
      this.refuse('limit', 'Too many messages.');
      return;
    }
    try {
      const message = parseControl(FROM_VIEWER, text);
      if (message !== null) {
        this.take(message);
      }
    } catch (error) {
      const { code, message } =
        error instanceof ProtocolError ? error : new ProtocolError('malformed', 'Not understood.');
      this.options.context.registry.refused(code, 'websocket', this.options.stream.id);
      this.refuse(code, message);
    }
  }

  onBinary(): void {
    this.options.context.registry.refused('malformed', 'websocket', this.options.stream.id);
    this.refuse('malformed', 'A viewer sends no objects.');
  }

  onPong(): void {
    this.liveness.ponged(this.options.context.clock.monotonicMs());
    if (this.isHeld) {
      this.isHeld = false;
      this.subscriber.resume();
    }
  }

  onDrain(): void {
    this.subscriber.pump();
  }

  onClose(): void {
    this.gone('left');
  }

  private take(message: FromViewer): void {
    const { context, peer } = this.options;
    switch (message.type) {
      case 'clock': {
        const at = context.clock.epochMs();
        peer.send({ type: 'clock', t0: message.t0, t1: at, t2: context.clock.epochMs() });
        break;
      }
      case 'select':
        this.follower.select(message.rendition);
        break;
      case 'loss':
        context.counters.losses.inc();
        this.follower.takeLoss(message);
        break;
      case 'report':
        this.takeReport(message);
        break;
      default:
        assertNever(message);
    }
  }

  private takeReport(message: Extract<FromViewer, { type: 'report' }>): void {
    const { context, stream } = this.options;
    const now = context.clock.monotonicMs();
    if (now - this.lastReportMs < MIN_REPORT_MS) {
      return;
    }
    const sinceLastMs = now - Math.max(this.lastReportMs, this.startedMs);
    this.lastReportMs = now;
    const rendition = this.follower.rendition ?? message.rendition;
    const epochMs = context.clock.epochMs();
    const known = { stream: stream.id, session: this.session, rendition, epochMs, sinceLastMs };
    context.reporter.report(clampReport(message, known));
    const lagMs = networkLagMs(message);
    if (lagMs !== null && lagMs > context.limits.subscriberQueueMs && message.latencyKind === stream.latencyKind) {
      this.hold();
    }
  }

  /** The kernel holds seconds of video for this viewer: send no more until a ping has gone through all of it. */
  private hold(): void {
    if (!this.isHeld) {
      this.isHeld = true;
      this.options.context.counters.holds.inc();
      this.subscriber.hold();
      this.options.peer.ping();
    }
  }

  private chosen({ reason }: Choice): void {
    this.reason = reason;
    this.welcome();
  }

  /** First message, and again whenever the menu or the reason changes (measured rates alone are no change). */
  private welcome(): void {
    const { stream, peer } = this.options;
    const { renditions, reason } = stream.tracks.menu();
    const why = this.reason ?? reason;
    const named = renditions.map(({ name, width, height, encoder }: RenditionInfo) => [name, width, height, encoder]);
    const told = JSON.stringify([named, why]);
    if (told === this.toldMenu) {
      return;
    }
    this.toldMenu = told;
    peer.send({
      type: 'welcome',
      stream: stream.id,
      session: this.session,
      epoch: stream.epoch,
      state: viewerState(stream.state),
      renditions: [...renditions],
      ...(why === undefined ? {} : { reason: why }),
    });
  }

  private streamChanged(change: StreamChange): void {
    const { stream, peer } = this.options;
    if (this.isGone) {
      return;
    }
    if (change === 'tracks' || change === 'menu') {
      this.follower.reconsider();
      this.welcome();
    } else if (change === 'state' && stream.state.kind === 'ended') {
      // What the channel still collects is flushed when the tracks end, right behind this call.
      setImmediate(() => {
        this.subscriber.finish(LAST_UNITS_MS, () => {
          this.refuse('ended', 'The stream has ended.');
        });
      });
    } else if (change === 'state' && this.follower.rendition === null) {
      peer.send(stateMessage(stream));
    }
  }

  private gone(reason: string): void {
    if (this.isGone) {
      return;
    }
    this.isGone = true;
    const { rendition } = this.follower;
    this.follower.close();
    for (const release of this.releases) {
      release();
    }
    this.report('view-end', reason, rendition);
    this.options.onGone();
  }

  private report(type: 'view-start' | 'view-end', reason?: string, rendition: string | null = null): void {
    const { context, stream } = this.options;
    context.reporter.report({
      type,
      topic: 'session',
      stream: stream.id,
      ts: Math.round(context.clock.epochMs()),
      session: this.session,
      epoch: stream.epoch,
      protocol: 'websocket',
      ...(rendition === null ? {} : { rendition }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
}
