// The fan-out of one rendition with its audio: lays every unit out once and writes it to all subscribers. `realtime` flushes with
// each picture (audio waits a moment to ride along), `normal` collects for an eighth of a second: fewer, larger writes.

import type { AccessUnit, TrackConfig } from '../../shared/media/access-unit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Stream } from '../streams/stream.ts';
import type { Track } from '../streams/track.ts';
import type { ControlItem, Item, MediaItem } from './item.ts';
import type { Batch, DeliveryTally, Subscriber } from './subscriber.ts';
import type { TrackLabel, WireFormat } from './wire-format.ts';

export type FlushClass = 'realtime' | 'normal';

const NORMAL_FLUSH_MS = 125;
/** Audio alone waits this long for a picture to share its write. */
const AUDIO_RIDE_MS = 25;

/** What a channel delivers: `video` is asked for again whenever the stream's tracks change. */
export type ChannelSource = {
  readonly stream: Stream;
  readonly rendition: string;
  readonly video: () => Track | null;
  /** The video track has ended and `video()` gives no other: subscribers must go elsewhere. */
  readonly onVideoEnded: () => void;
};

export type ChannelOptions = {
  readonly source: ChannelSource;
  readonly flushClass: FlushClass;
  readonly format: WireFormat;
  readonly clock: Clock;
  readonly joinBurstBytes: number;
};

type Attachment = { readonly track: Track; object: number; detach: () => void };

export class Channel {
  readonly subscribers = new Set<Subscriber>();
  readonly tally: DeliveryTally = { sentUnits: 0, sentBytes: 0, droppedUnits: 0 };
  private readonly options: ChannelOptions;
  private readonly attachments: { video: Attachment | null; audio: Attachment | null } = { video: null, audio: null };
  private readonly stopListening: () => void;
  private pending: MediaItem[] = [];
  private cancelFlush: (() => void) | null = null;
  private isImmediate = false;
  private latencyKind: 'glass' | 'ingest';

  constructor(options: ChannelOptions) {
    this.options = options;
    const { stream } = options.source;
    this.latencyKind = stream.latencyKind;
    this.syncTracks();
    this.stopListening = stream.listen((change) => {
      if (change === 'tracks') {
        this.syncTracks();
        this.relabel();
      }
    });
  }

  get stream(): Stream {
    return this.options.source.stream;
  }

  get rendition(): string {
    return this.options.source.rendition;
  }

  /** A subscriber starts with the configurations and the cached group, then follows live. */
  add(subscriber: Subscriber): void {
    this.flush();
    const { video, audio } = this.attachments;
    const { format } = this.options;
    subscriber.tally = this.tally;
    const items: Item[] = [...format.opening({ hasVideo: video !== null, hasAudio: audio !== null })];
    for (const attachment of [video, audio]) {
      if (attachment?.track.config) {
        items.push(...format.config(this.labelOf(attachment.track), attachment.track.config));
      }
    }
    const group = video === null ? [] : this.cachedGroup(video.track);
    subscriber.startWith([...items, ...group], video === null || group.length > 0);
    this.subscribers.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.flush();
    this.subscribers.delete(subscriber);
  }

  close(): void {
    this.stopListening();
    this.cancelFlush?.();
    this.isImmediate = false;
    this.pending = [];
    this.attachments.video?.detach();
    this.attachments.audio?.detach();
    this.attachments.video = null;
    this.attachments.audio = null;
  }

  private labelOf(track: Track): TrackLabel {
    const isAudio = track === this.attachments.audio?.track;
    return {
      id: this.stream.tracks.idOf(track.name),
      kind: isAudio ? 'audio' : 'video',
      name: track.name,
      encoder: track.encoder,
      latencyKind: this.stream.latencyKind,
    };
  }

  /** Follows the tracks that the stream has now. */
  private syncTracks(): void {
    const wanted = { video: this.options.source.video(), audio: this.stream.tracks.audio };
    for (const kind of ['video', 'audio'] as const) {
      const track = wanted[kind];
      if (track !== null && track !== this.attachments[kind]?.track) {
        this.attachments[kind]?.detach();
        this.attach(kind, track);
      }
    }
  }

  private attach(kind: 'video' | 'audio', track: Track): void {
    const attachment: Attachment = { track, object: -1, detach: () => undefined };
    this.attachments[kind] = attachment;
    let isReplaying = true;
    const detach = track.attach({
      onConfig: (config) => {
        this.announce(track, config, isReplaying && this.subscribers.size === 0);
      },
      onUnit: (unit, group, isCached) => {
        attachment.object = unit.priority === 'key' || kind === 'audio' ? 0 : attachment.object + 1;
        if (!isCached) {
          this.take(kind, attachment, unit, group);
        }
      },
      onEnd: () => {
        if (this.attachments[kind] === attachment) {
          this.attachments[kind] = null;
          this.flush();
          if (kind === 'video' && this.options.source.video() === null) {
            this.options.source.onVideoEnded();
          }
        }
      },
    });
    isReplaying = false;
    attachment.detach = detach;
  }

  private take(kind: 'video' | 'audio', attachment: Attachment, unit: AccessUnit, group: number): void {
    if (this.subscribers.size === 0) {
      return;
    }
    const place = { group, object: attachment.object, isCached: false };
    const item = this.options.format.unit(this.labelOf(attachment.track), unit, place);
    if (item === null) {
      return;
    }
    this.pending.push(item);
    if (this.options.flushClass === 'normal') {
      this.cancelFlush ??= this.options.clock.after(NORMAL_FLUSH_MS, () => {
        this.flush();
      });
    } else if (kind === 'video' || this.attachments.video === null) {
      this.flushSoon();
    } else {
      this.cancelFlush ??= this.options.clock.after(AUDIO_RIDE_MS, () => {
        this.flush();
      });
    }
  }

  /** At the end of this turn of the event loop: what arrived together leaves together. */
  private flushSoon(): void {
    if (!this.isImmediate) {
      this.isImmediate = true;
      setImmediate(() => {
        if (this.isImmediate) {
          this.flush();
        }
      });
    }
  }

  /** Sends what is pending to everybody. */
  flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = null;
    this.isImmediate = false;
    const items = this.pending;
    if (items.length === 0) {
      return;
    }
    this.pending = [];
    this.broadcast({ items, framed: Buffer.concat(this.options.format.framing(items)), units: items.length });
  }

  private broadcast(batch: Batch): void {
    for (const subscriber of this.subscribers) {
      subscriber.offer(batch);
    }
  }

  private announce(track: Track, config: TrackConfig, isSilent: boolean): void {
    this.flush();
    if (isSilent) {
      return;
    }
    const items: readonly ControlItem[] = this.options.format.config(this.labelOf(track), config);
    if (items.length > 0) {
      this.broadcast({ items, framed: Buffer.concat(this.options.format.framing(items)), units: 0 });
    }
  }

  /** Capture times appeared or went: viewers are told the new kind of latency. */
  private relabel(): void {
    if (this.stream.latencyKind === this.latencyKind) {
      return;
    }
    this.latencyKind = this.stream.latencyKind;
    for (const attachment of [this.attachments.video, this.attachments.audio]) {
      if (attachment?.track.config) {
        this.announce(attachment.track, attachment.track.config, false);
      }
    }
  }

  /** The group that the track has cached, laid out as cached; empty when there is none or it is beyond the budget. */
  private cachedGroup(track: Track): MediaItem[] {
    const items: MediaItem[] = [];
    let bytes = 0;
    let object = -1;
    const label = this.labelOf(track);
    const detach = track.attach({
      onConfig: () => undefined,
      onUnit: (unit, group) => {
        object = unit.priority === 'key' ? 0 : object + 1;
        const item = this.options.format.unit(label, unit, { group, object, isCached: true });
        if (item !== null) {
          items.push(item);
          bytes += item.bytes.length;
        }
      },
      onEnd: () => undefined,
    });
    detach();
    return bytes <= this.options.joinBurstBytes ? items : [];
  }
}
