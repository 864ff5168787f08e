// One live stream: its publisher slot and epoch, its timeline and tracks, its state. Ingest fills it through PublisherSlot,
// delivery watches it through WatchedStream; neither sees the other.

import { randomUUID } from 'node:crypto';
import { ProtocolError, type PeerErrorCode } from '../../shared/errors.ts';
import type { AccessUnit, TrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import type { SessionEvent } from '../../shared/telemetry/events.ts';
import type { StreamStatus, TrackStatus } from '../read-models/stream-status.ts';
import { equalSecrets } from '../platform/secrets.ts';
import type { PublisherSlot, PublishRequest } from './roles.ts';
import type { StreamContext } from './stream-context.ts';
import { moveTo, type StreamState } from './stream-state.ts';
import { StreamTracks } from './stream-tracks.ts';
import { Timeline } from './timeline.ts';

/** What changed: state or epoch, the set of tracks, the rendition menu, the number of viewers. */
export type StreamChange = 'state' | 'tracks' | 'menu' | 'viewers';

type Holder = {
  readonly request: PublishRequest;
  readonly session: string;
  readonly epoch: number;
  lastUnitMs: number;
};

const CLOCK_TOLD_MS = 1000;

export class Stream {
  readonly id: StreamId;
  readonly tracks: StreamTracks;
  private readonly context: StreamContext;
  private readonly timeline: Timeline;
  private readonly listeners = new Set<(change: StreamChange) => void>();
  private holder: Holder | null = null;
  private lastKey = '';
  private currentEpoch = 0;
  private current: StreamState = { kind: 'idle' };
  private viewerTotal = 0;
  private clockToldMs = Number.NEGATIVE_INFINITY;

  constructor(context: StreamContext, id: StreamId) {
    this.context = context;
    this.id = id;
    this.timeline = new Timeline((us) => {
      this.clockWrong('timeline', us / 1000);
    });
    this.tracks = new StreamTracks(context, id, {
      onChange: (change) => {
        this.notify(change);
      },
      onKeyframeWanted: () => {
        this.holder?.request.onKeyframeWanted?.();
      },
      onSourceFailed: (reason) => {
        this.revoke('overloaded', `The stream's picture cannot be encoded: ${reason}`);
      },
    });
  }

  get state(): StreamState {
    return this.current;
  }

  get epoch(): number {
    return this.currentEpoch;
  }

  get viewers(): number {
    return this.viewerTotal;
  }

  get hasPublisher(): boolean {
    return this.holder !== null;
  }

  /** Capture times come with the units, so latency is measured from the glass; else from arrival. */
  get latencyKind(): 'glass' | 'ingest' {
    return this.tracks.hasCaptureTimes ? 'glass' : 'ingest';
  }

  /** Calls back on every change until the returned function is called. */
  listen(listener: (change: StreamChange) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Counts a viewer until the returned function is called (twice does nothing). */
  addViewer(): () => void {
    this.viewerTotal++;
    this.notify('viewers');
    let counted = true;
    return () => {
      if (counted) {
        counted = false;
        this.viewerTotal--;
        this.notify('viewers');
      }
    };
  }

  /** Gives the slot to the publisher. Throws ProtocolError `busy` while another holds it. The key has been checked. */
  open(request: PublishRequest): PublisherSlot {
    this.refuseIfHeld(request);
    this.lastKey = request.key;
    this.currentEpoch++;
    this.timeline.startEpoch();
    this.tracks.startEpoch();
    const { clock } = this.context;
    const holder: Holder = {
      request,
      session: randomUUID(),
      epoch: this.currentEpoch,
      lastUnitMs: clock.monotonicMs(),
    };
    this.holder = holder;
    this.report('publish-start', holder);
    if (this.current.kind === 'idle' || this.current.kind === 'ended') {
      this.move({ kind: 'live', sinceMs: clock.epochMs() });
    } else {
      this.notify('state');
    }
    return this.slotOf(holder);
  }

  /** Called regularly: finds silence, gives up on publishers and on reconnects. */
  tick(): void {
    const { clock, limits } = this.context;
    const now = clock.monotonicMs();
    this.tracks.tick(clock.epochMs());
    const { holder } = this;
    if (holder === null) {
      if (this.current.kind === 'stalled' && clock.epochMs() - this.current.sinceMs >= limits.reconnectMs) {
        this.end();
      }
      return;
    }
    const silenceMs = now - holder.lastUnitMs;
    if (silenceMs >= limits.idlePublisherMs) {
      this.revoke('timeout', `Nothing came for ${Math.round(silenceMs / 1000)} seconds.`);
    } else if (silenceMs >= limits.stalledMs && this.current.kind === 'live') {
      this.report('publish-stalled', holder);
      this.move({ kind: 'stalled', sinceMs: clock.epochMs(), hasPublisher: true });
    }
  }

  /** Takes the slot away: the publisher is told, the stream waits for a reconnect. */
  revoke(code: PeerErrorCode, sentence: string): void {
    const { holder } = this;
    if (holder === null) {
      return;
    }
    this.lose(holder, code);
    holder.request.onRevoked(code, sentence);
  }

  /** The stream is over: viewers are told, tracks end. */
  end(): void {
    this.holder = null;
    const { clock, reporter } = this.context;
    const wasRunning = this.current.kind === 'live' || this.current.kind === 'stalled';
    if (wasRunning) {
      this.move({ kind: 'ended', sinceMs: clock.epochMs() });
    }
    this.tracks.end(); // what the tracks still have to report comes first
    if (wasRunning) {
      const ts = Math.round(clock.epochMs());
      reporter.report({ type: 'stream-end', topic: 'session', stream: this.id, ts, session: '' });
    }
  }

  /** Tells telemetry that the publisher's clock cannot be right, at most once a second. */
  private clockWrong(what: 'capture' | 'timeline', offMs: number): void {
    const now = this.context.clock.epochMs();
    if (now - this.clockToldMs >= CLOCK_TOLD_MS) {
      this.clockToldMs = now;
      const ts = Math.round(now);
      this.context.reporter.report({ type: 'publisher-clock', topic: 'ingest', stream: this.id, ts, what, offMs });
    }
  }

  /** For the API. Null while the stream has never been live. */
  status(): StreamStatus | null {
    const { current, holder } = this;
    if (current.kind === 'idle') {
      return null;
    }
    const { protocol, address } = holder?.request ?? {};
    return {
      id: this.id,
      state: current.kind,
      since: Math.round(current.sinceMs),
      epoch: this.currentEpoch,
      publisher: protocol === undefined ? null : { protocol, ...(address === undefined ? {} : { address }) },
      viewers: this.viewerTotal,
      tracks: this.tracks.all.flatMap((track): TrackStatus[] => {
        const { config } = track;
        if (config === null) {
          return [];
        }
        const common = { name: track.name, codec: config.codec, bitrateKbps: track.kbps, encoder: track.encoder };
        return config.kind === 'audio'
          ? [{ ...common, kind: 'audio' }]
          : [
              {
                ...common,
                kind: 'video',
                width: config.width,
                height: config.height,
                fps: track.fps || (config.fps ?? 0),
              },
            ];
      }),
    };
  }

  private refuseIfHeld(request: PublishRequest): void {
    const isSameKey = equalSecrets(this.lastKey, request.key);
    if (this.holder === null) {
      if (this.current.kind === 'stalled' && !isSameKey) {
        throw new ProtocolError('busy', 'The stream waits for its publisher to come back.');
      }
      return;
    }
    const silenceMs = this.context.clock.monotonicMs() - this.holder.lastUnitMs;
    if (!isSameKey || silenceMs < this.context.limits.stalledMs) {
      throw new ProtocolError('busy', 'Somebody else publishes this stream.');
    }
    this.context.counters.takeovers.inc();
    this.revoke('busy', 'A new publisher with the same key took the stream over.');
  }

  private slotOf(holder: Holder): PublisherSlot {
    const ifHeld = (action: () => void): void => {
      if (this.holder === holder) {
        action();
      }
    };
    return {
      streamId: this.id,
      epoch: holder.epoch,
      session: holder.session,
      viewerCount: () => this.viewerTotal,
      reportClock: (offMs) => {
        ifHeld(() => {
          this.clockWrong('capture', offMs);
        });
      },
      setTrack: (name, config) => {
        ifHeld(() => {
          this.setTrack(holder, name, config);
        });
      },
      push: (name, unit) => {
        ifHeld(() => {
          this.push(holder, name, unit);
        });
      },
      close: (how) => {
        ifHeld(() => {
          this.close(holder, how);
        });
      },
    };
  }

  private setTrack(holder: Holder, name: string, config: TrackConfig): void {
    holder.lastUnitMs = this.context.clock.monotonicMs();
    this.tracks.announce(name, config);
  }

  private push(holder: Holder, name: string, unit: AccessUnit): void {
    const track = this.tracks.ofPublisher(name);
    if (track === null) {
      return;
    }
    const { clock, counters } = this.context;
    holder.lastUnitMs = clock.monotonicMs();
    const kind = track.config?.kind ?? 'video';
    counters.units.inc({ kind });
    counters.bytes.inc({ kind }, unit.data.length);
    if (this.current.kind === 'stalled') {
      this.report('publish-resumed', holder);
      this.move({ kind: 'live', sinceMs: clock.epochMs() });
    }
    this.tracks.noteCaptureTime(unit.captureTime !== undefined);
    track.push(this.timeline.map(track.name, unit));
  }

  private close(holder: Holder, how: 'finished' | 'lost'): void {
    if (how === 'lost') {
      this.lose(holder, 'lost');
      return;
    }
    this.report('publish-end', holder, 'finished');
    this.end();
  }

  private lose(holder: Holder, reason: string): void {
    this.holder = null;
    this.report('publish-end', holder, reason);
    this.move({ kind: 'stalled', sinceMs: this.context.clock.epochMs(), hasPublisher: false });
  }

  private move(to: StreamState): void {
    this.current = moveTo(this.current, to);
    this.notify('state');
  }

  private notify(change: StreamChange): void {
    for (const listener of this.listeners) {
      listener(change);
    }
  }

  private report(type: SessionEvent['type'], holder: Holder, reason?: string): void {
    this.context.reporter.report({
      type,
      topic: 'session',
      stream: this.id,
      ts: Math.round(this.context.clock.epochMs()),
      session: holder.session,
      epoch: holder.epoch,
      protocol: holder.request.protocol,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}
