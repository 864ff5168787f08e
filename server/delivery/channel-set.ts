// The channels that run: one per stream, rendition, flush class and format, opened by the first viewer and closed after the last.
// Reports what was delivered once per second.

import type { Stream } from '../streams/stream.ts';
import { carriedAudio } from './carried-audio.ts';
import { Channel, type FlushClass } from './channel.ts';
import type { DeliveryContext } from './delivery-context.ts';
import type { Subscriber } from './subscriber.ts';
import type { WireFormat } from './wire-format.ts';

const REPORT_MS = 1000;
const SOURCE = 'source';

export type JoinOptions = {
  readonly stream: Stream;
  readonly rendition: string;
  readonly flushClass: FlushClass;
  readonly format: WireFormat;
  readonly subscriber: Subscriber;
  /** The rendition ended: the subscriber must go elsewhere. Told at most once, never during the join. */
  readonly onLost: () => void;
};

/** A subscriber's place in a channel. */
export type Membership = { readonly channel: Channel; readonly leave: () => void };

type Entry = { readonly channel: Channel; readonly release: () => void; readonly members: Map<Subscriber, () => void> };

export class ChannelSet {
  private readonly context: DeliveryContext;
  private readonly entries = new Map<Stream, Map<string, Entry>>();
  private readonly stopReporting: () => void;

  constructor(context: DeliveryContext) {
    this.context = context;
    this.stopReporting = context.clock.every(REPORT_MS, () => {
      this.report();
    });
  }

  /** Null when the rendition is not on offer. */
  join({ stream, rendition, flushClass, format, subscriber, onLost }: JoinOptions): Membership | null {
    const key = `${rendition} ${flushClass} ${format.name}`;
    const entry = this.entries.get(stream)?.get(key) ?? this.open(stream, key, { rendition, flushClass, format });
    if (entry === null) {
      return null;
    }
    entry.members.set(subscriber, onLost);
    entry.channel.add(subscriber);
    const leave = (): void => {
      if (entry.members.delete(subscriber)) {
        entry.channel.remove(subscriber);
        this.closeIfUnused(stream, key, entry);
      }
    };
    return { channel: entry.channel, leave };
  }

  close(): void {
    this.report();
    this.stopReporting();
  }

  private open(
    stream: Stream,
    key: string,
    spec: Pick<JoinOptions, 'rendition' | 'flushClass' | 'format'>,
  ): Entry | null {
    const { rendition, flushClass, format } = spec;
    const held = rendition === SOURCE ? null : stream.tracks.holdRendition(rendition);
    if (rendition !== SOURCE && held === null) {
      return null;
    }
    const members = new Map<Subscriber, () => void>();
    const channel = new Channel({
      source: {
        stream,
        rendition,
        video: () => (held === null ? stream.tracks.source : held.track.isEnded ? null : held.track),
        audio: () => {
          const audio = carriedAudio(stream.tracks, format, this.context.aac);
          return audio === null || 'reason' in audio ? null : audio;
        },
        onVideoEnded: () => {
          if (held !== null) {
            this.lost(members);
          }
        },
      },
      flushClass,
      format,
      clock: this.context.clock,
      joinBurstBytes: this.context.limits.joinBurstBytes,
      onFailure: this.failureNote(stream, key),
    });
    const entry: Entry = { channel, members, release: held?.release ?? (() => undefined) };
    const ofStream = this.entries.get(stream) ?? new Map<string, Entry>();
    this.entries.set(stream, ofStream.set(key, entry));
    return entry;
  }

  /** Counts every failure of a channel and logs the first. */
  private failureNote(stream: Stream, channel: string): (error: unknown) => void {
    const { counters, logger } = this.context;
    let isLogged = false;
    return (error) => {
      counters.failures.inc();
      if (!isLogged) {
        isLogged = true;
        logger.error({ err: error, stream: stream.id, channel }, 'a unit could not be delivered and was left out');
      }
    };
  }

  private lost(members: ReadonlyMap<Subscriber, () => void>): void {
    for (const onLost of [...members.values()]) {
      onLost();
    }
  }

  private closeIfUnused(stream: Stream, key: string, entry: Entry): void {
    const ofStream = this.entries.get(stream);
    if (entry.members.size > 0 || ofStream?.get(key) !== entry) {
      return;
    }
    this.reportChannel(entry.channel);
    ofStream.delete(key);
    if (ofStream.size === 0) {
      this.entries.delete(stream);
    }
    entry.channel.close();
    entry.release();
  }

  private report(): void {
    for (const ofStream of this.entries.values()) {
      for (const { channel } of ofStream.values()) {
        this.reportChannel(channel);
      }
    }
  }

  private reportChannel({ tally, stream, rendition, subscribers }: Channel): void {
    const { counters, reporter, clock } = this.context;
    counters.sentUnits.inc(tally.sentUnits);
    counters.sentBytes.inc(tally.sentBytes);
    reporter.report({
      type: 'delivery',
      topic: 'viewer',
      stream: stream.id,
      ts: Math.round(clock.epochMs()),
      track: rendition,
      intervalMs: REPORT_MS,
      viewers: subscribers.size,
      ...tally,
    });
    tally.sentUnits = 0;
    tally.sentBytes = 0;
    tally.droppedUnits = 0;
    tally.reportedLosses = 0;
  }
}
