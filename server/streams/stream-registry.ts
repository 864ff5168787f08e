// Stream id -> stream. Admits publishers (PublishAdmission) and finds streams for viewers and the API. One regular tick for all.

import { ProtocolError } from '../../shared/errors.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { Limits } from '../../shared/config/limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { StreamStatus } from '../read-models/stream-status.ts';
import type { KeyCheck } from './publish-keys.ts';
import type { PublishAdmission, PublisherSlot, PublishRequest, RenditionProvider, SourceWatcher } from './roles.ts';
import { createStreamCounters, type StreamContext } from './stream-context.ts';
import { Stream } from './stream.ts';

const TICK_MS = 100;
/** Ended streams are remembered this long, so that viewers hear "ended" and not "no such stream". */
const REMEMBER_ENDED_MS = 60_000;
const MAX_REMEMBERED = 1000;
/** Refusals told to telemetry per second; all of them are counted in /metrics. */
const MAX_REPORTED_REFUSALS = 10;

/** Doors that refuse peers. */
export type RefusedProtocol = 'rtmp' | 'websocket' | 'flv' | 'internal' | 'http';

export type RegistryOptions = {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reporter: Reporter;
  readonly metrics: Metrics;
  readonly keys: KeyCheck;
  readonly renditions?: RenditionProvider;
  readonly watcher?: SourceWatcher;
};

export class StreamRegistry implements PublishAdmission {
  private readonly context: StreamContext;
  private readonly keys: KeyCheck;
  private readonly streams = new Map<StreamId, Stream>();
  private readonly stopTicking: () => void;
  private isDraining = false;
  private refusalSecond = 0;
  private refusalsThisSecond = 0;

  constructor({ metrics, keys, ...options }: RegistryOptions) {
    this.context = { ...options, counters: createStreamCounters(metrics) };
    this.keys = keys;
    this.stopTicking = options.clock.every(TICK_MS, () => {
      this.tick();
    });
    metrics.observe('publishers', 'Publishers that hold a stream.', () => this.publishers);
    metrics.observe('viewers', 'Viewers connected.', () => this.viewers);
  }

  get publishers(): number {
    return [...this.streams.values()].filter((stream) => stream.hasPublisher).length;
  }

  get viewers(): number {
    return [...this.streams.values()].reduce((sum, stream) => sum + stream.viewers, 0);
  }

  open(request: PublishRequest): PublisherSlot {
    try {
      return this.admit(request);
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.refused(error.code, request.protocol, request.streamId);
      }
      throw error;
    }
  }

  /** The stream, also an ended one that is still remembered. */
  get(id: StreamId): Stream | null {
    return this.streams.get(id) ?? null;
  }

  /** Counts a refusal of any room and tells telemetry (at most ten per second). */
  refused(code: string, protocol: RefusedProtocol, stream = '', count = 1): void {
    const { clock, counters, reporter } = this.context;
    counters.refusals.inc({ code, protocol }, count);
    const now = clock.epochMs();
    const second = Math.floor(now / 1000);
    this.refusalsThisSecond = second === this.refusalSecond ? this.refusalsThisSecond + 1 : 1;
    this.refusalSecond = second;
    if (this.refusalsThisSecond <= MAX_REPORTED_REFUSALS) {
      reporter.report({
        type: 'refused',
        topic: 'session',
        stream,
        ts: Math.round(now),
        session: '',
        ...(protocol === 'http' ? {} : { protocol }),
        reason: code,
      });
    }
  }

  /** Every stream that was ever live and is remembered, by id. */
  statuses(): StreamStatus[] {
    return [...this.streams.values()]
      .flatMap((stream) => stream.status() ?? [])
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** No publisher is admitted any more; those there are told 4503. Streams end, so viewers are told too. */
  drain(): void {
    this.isDraining = true;
    this.stopTicking();
    for (const stream of this.streams.values()) {
      stream.revoke('overloaded', 'The server is shutting down.');
      stream.end();
    }
  }

  private admit(request: PublishRequest): PublisherSlot {
    if (this.isDraining) {
      throw new ProtocolError('overloaded', 'The server is shutting down.');
    }
    this.keys(request.streamId, request.key);
    const known = this.streams.get(request.streamId);
    const isNew = known === undefined || known.state.kind === 'ended' || known.state.kind === 'idle';
    if (isNew && this.running() >= this.context.limits.publishers) {
      throw new ProtocolError('limit', `The server takes ${this.context.limits.publishers} publishers.`);
    }
    const stream = known ?? new Stream(this.context, request.streamId);
    const slot = stream.open(request);
    this.streams.set(request.streamId, stream);
    return slot;
  }

  /** Streams that have a publisher or wait for theirs. */
  private running(): number {
    return [...this.streams.values()].filter(({ state }) => state.kind === 'live' || state.kind === 'stalled').length;
  }

  private tick(): void {
    const now = this.context.clock.epochMs();
    let remembered = 0;
    for (const [id, stream] of this.streams) {
      stream.tick();
      if (stream.state.kind === 'ended') {
        remembered++;
        if (now - stream.state.sinceMs >= REMEMBER_ENDED_MS || remembered > MAX_REMEMBERED) {
          this.streams.delete(id);
        }
      }
    }
  }
}
