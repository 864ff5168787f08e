// One track of a stream: `source`, `audio` or a rendition. Numbers its groups, keeps the current one for instant join, and hands
// every unit to its sinks. A sink that throws is detached; the others never notice.

import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { AccessUnit, EncodedBy, TrackConfig } from '../../shared/media/access-unit.ts';
import { FrameBatcher } from './frame-batcher.ts';
import { GroupCache, RecentUnits } from './group-cache.ts';
import type { EncodeStats, StreamTrack, TrackSink } from './roles.ts';
import { isSameConfig } from './same-config.ts';
import type { StreamContext } from './stream-context.ts';
import { TrackMeter } from './track-meter.ts';

/** A key-frame request that was let through the limit. */
export type KeyframeRequest = () => void;

type Attached = { readonly sink: TrackSink; isStarted: boolean };

export class Track implements StreamTrack {
  readonly name: string;
  readonly encoder: EncodedBy;
  private readonly context: StreamContext;
  private readonly onKeyframeWanted: KeyframeRequest;
  private readonly cache: GroupCache;
  private readonly recent = new RecentUnits();
  private readonly batcher: FrameBatcher;
  private readonly meter = new TrackMeter();
  private current: TrackConfig | null = null;
  private attached: readonly Attached[] = [];
  private group = -1;
  private awaitsKey = true;
  private hasEnded = false;
  private lastRequestMs = Number.NEGATIVE_INFINITY;

  constructor(
    context: StreamContext,
    options: {
      readonly stream: string;
      readonly name: string;
      readonly encoder: EncodedBy;
      readonly onKeyframeWanted: KeyframeRequest;
    },
  ) {
    this.context = context;
    this.name = options.name;
    this.encoder = options.encoder;
    this.onKeyframeWanted = options.onKeyframeWanted;
    this.cache = new GroupCache(context.limits.groupCacheBytes);
    this.batcher = new FrameBatcher(context.reporter, options.stream, options.name);
  }

  get config(): TrackConfig | null {
    return this.current;
  }

  /** Sinks that follow now. */
  get sinkCount(): number {
    return this.attached.length;
  }

  /** A sink that attaches now gets a unit at once. */
  get hasGroup(): boolean {
    return this.cache.units.length > 0;
  }

  /** What a joining viewer gets first: the current group from its key unit on; no units when there is none. */
  get cachedGroup(): { readonly units: readonly AccessUnit[]; readonly group: number } {
    return { units: this.cache.units, group: this.group };
  }

  /** The last seconds of an audio track, for readers that start at a key picture and not at the live edge. */
  get recentUnits(): readonly AccessUnit[] {
    return this.recent.units;
  }

  /** No unit will follow. */
  get isEnded(): boolean {
    return this.hasEnded;
  }

  get kbps(): number {
    return this.meter.kbps(this.context.clock.epochMs());
  }

  get fps(): number {
    return this.meter.fps(this.context.clock.epochMs());
  }

  attach(sink: TrackSink): () => void {
    const entry: Attached = { sink, isStarted: this.isIndependent() };
    if (this.current !== null) {
      sink.onConfig(this.current);
      for (const unit of this.cache.units) {
        sink.onUnit(unit, this.group, true);
        entry.isStarted = true;
      }
    }
    this.attached = [...this.attached, entry];
    return () => {
      this.attached = this.attached.filter((other) => other !== entry);
    };
  }

  requestKeyframe(): void {
    const now = this.context.clock.monotonicMs();
    if (now - this.lastRequestMs >= this.context.limits.keyframeRequestMs) {
      this.lastRequestMs = now;
      this.context.counters.keyframeRequests.inc();
      this.onKeyframeWanted();
    }
  }

  /** Announces the configuration; an unchanged one does nothing. What is cached belongs to the old one and is forgotten. */
  setConfig(config: TrackConfig): void {
    if (this.current !== null && isSameConfig(this.current, config)) {
      return;
    }
    this.current = config;
    this.awaitKey();
    this.forEachSink((sink) => {
      sink.onConfig(config);
    });
  }

  /** Nothing is passed on before the next key unit: the publisher or the encoder started anew. */
  awaitKey(): void {
    this.cache.clear();
    this.recent.clear();
    this.awaitsKey = true;
  }

  push(unit: AccessUnit, stats?: EncodeStats): void {
    if (this.current === null) {
      return;
    }
    const opensGroup = unit.priority === 'key' || this.isIndependent();
    if (opensGroup) {
      this.group = (this.group + 1) >>> 0;
      this.awaitsKey = false;
    } else if (this.awaitsKey) {
      this.context.counters.unitsBeforeKey.inc();
      return;
    }
    this.keep(unit);
    this.meter.add(unit.data.length, this.context.clock.epochMs());
    this.batcher.add(unit, this.current, stats);
    this.deliver(unit, opensGroup);
  }

  tick(epochMs: number): void {
    this.batcher.tick(epochMs);
  }

  /** No unit will follow: every sink is told and let go. */
  end(): void {
    this.hasEnded = true;
    this.batcher.flush();
    this.cache.clear();
    this.recent.clear();
    const sinks = this.attached;
    this.attached = [];
    for (const { sink } of sinks) {
      this.guarded(sink, () => {
        sink.onEnd();
      });
    }
  }

  private keep(unit: AccessUnit): void {
    if (!this.isIndependent()) {
      if (!this.cache.push(unit)) {
        this.context.counters.cacheOverflows.inc();
      }
    } else if (this.current?.kind === 'audio') {
      this.recent.push(unit);
    }
  }

  private deliver(unit: AccessUnit, opensGroup: boolean): void {
    for (const entry of this.attached) {
      if (entry.isStarted || opensGroup) {
        entry.isStarted = true;
        try {
          entry.sink.onUnit(unit, this.group, false);
        } catch (error) {
          this.drop(entry.sink, error);
        }
      }
    }
  }

  private forEachSink(call: (sink: TrackSink) => void): void {
    for (const { sink } of this.attached) {
      this.guarded(sink, () => {
        call(sink);
      });
    }
  }

  private guarded(sink: TrackSink, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.drop(sink, error);
    }
  }

  private drop(sink: TrackSink, error: unknown): void {
    this.attached = this.attached.filter((other) => other.sink !== sink);
    this.context.logger.error({ err: error, track: this.name }, 'a sink failed and was detached');
  }

  /** Every unit stands alone: audio frames and raw pictures. Nothing is cached for them. */
  private isIndependent(): boolean {
    return this.current !== null && (this.current.kind === 'audio' || this.current.codec === RAW_CODEC);
  }
}
