// The fan-out of one rendition with its audio: lays every unit out once and writes it to all subscribers. `realtime` flushes with
// each picture (audio waits a moment to ride along), `normal` collects for an eighth of a second: fewer, larger writes. A unit that
// cannot be laid out is left out; whoever is watching goes on.

import type { AccessUnit } from '../../shared/media/access-unit.ts';
import type { Clock } from '../platform/clock.ts';
import type { StreamTrack } from '../streams/roles.ts';
import type { Stream } from '../streams/stream.ts';
import type { Track } from '../streams/track.ts';
import type { ControlItem, Item, MediaItem } from './item.ts';
import type { Batch, DeliveryTally, Subscriber } from './subscriber.ts';
import type { Place, TrackLabel, WireFormat } from './wire-format.ts';

export type FlushClass = 'realtime' | 'normal';

const NORMAL_FLUSH_MS = 125;
/** Audio alone waits this long for a picture to share its write. */
const AUDIO_RIDE_MS = 25;
/** A new number of viewers is told at most this often. */
const VIEWERS_TOLD_MS = 1000;

/** What a channel delivers: `video` is asked for again whenever the stream's tracks change. */
type ChannelSource = {
  readonly stream: Stream;
  readonly rendition: string;
  readonly video: () => Track | null;
  /** The stream's audio as the format carries it; asked for again like `video`. */
  readonly audio: () => StreamTrack | null;
  /** The video track has ended and `video()` gives no other: subscribers must go elsewhere. */
  readonly onVideoEnded: () => void;
};

export type ChannelOptions = {
  readonly source: ChannelSource;
  readonly flushClass: FlushClass;
  readonly format: WireFormat;
  readonly clock: Clock;
  readonly joinBurstBytes: number;
  /** Something could not be laid out or written, and was left out. */
  readonly onFailure: (error: unknown) => void;
};

type Attachment<Kind extends StreamTrack = StreamTrack> = {
  readonly track: Kind;
  object: number;
  detach: () => void;
};

export class Channel {
  readonly subscribers = new Set<Subscriber>();
  readonly tally: DeliveryTally = { sentUnits: 0, sentBytes: 0, droppedUnits: 0, reportedLosses: 0 };
  private readonly options: ChannelOptions;
  private readonly attachments: { video: Attachment<Track> | null; audio: Attachment | null } = {
    video: null,
    audio: null,
  };
  private readonly stopListening: () => void;
  private pending: MediaItem[] = [];
  private cancelFlush: (() => void) | null = null;
  private cancelTelling: (() => void) | null = null;
  private isImmediate = false;
  private lastDtsMs = 0;
  /** The cached group as the last joining viewer got it; of use while `last` is still the newest unit. */
  private burst: { readonly last: AccessUnit; readonly items: readonly MediaItem[] } | null = null;
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
      } else if (change === 'state') {
        this.tellState();
      } else if (change === 'viewers') {
        this.cancelTelling ??= options.clock.after(VIEWERS_TOLD_MS, () => {
          this.tellState();
        });
      }
    });
  }

  get stream(): Stream {
    return this.options.source.stream;
  }

  get rendition(): string {
    return this.options.source.rendition;
  }

  /** A subscriber starts with the configurations, the state and the cached group, then follows live. */
  add(subscriber: Subscriber): void {
    this.flush();
    const { video, audio } = this.attachments;
    const { format } = this.options;
    subscriber.tally = this.tally;
    const labels = [video, audio].flatMap((attachment) => this.labelOf(attachment) ?? []);
    const items: Item[] = [
      ...format.opening(labels),
      ...labels.flatMap((label) => this.configOf(label)),
      ...format.state(this.stream),
    ];
    const group = video === null ? [] : this.cachedGroup(video, audio);
    subscriber.startWith([...items, ...group], video === null || group.length > 0);
    this.subscribers.add(subscriber);
  }

  /**
   * A viewer misses an object, or could not decode it. In the group that is still open only a new key unit can help, and one is
   * asked for (the track limits how often); an older group has been followed by one already, and audio heals by itself.
   */
  takeLoss({ track, group }: { readonly track: number; readonly group: number }): void {
    this.tally.reportedLosses++;
    const { video } = this.attachments;
    const isOpen = video !== null && this.labelOf(video)?.id === track && video.track.cachedGroup.group === group;
    if (isOpen) {
      video.track.requestKeyframe();
    }
  }

  remove(subscriber: Subscriber): void {
    this.flush();
    this.subscribers.delete(subscriber);
  }

  close(): void {
    this.stopListening();
    this.cancelFlush?.();
    this.cancelTelling?.();
    this.isImmediate = false;
    this.pending = [];
    this.attachments.video?.detach();
    this.attachments.audio?.detach();
    this.attachments.video = null;
    this.attachments.audio = null;
  }

  /** Null while the track has no configuration. */
  private labelOf(attachment: Attachment | null): TrackLabel | null {
    const config = attachment?.track.config ?? null;
    if (attachment === null || config === null) {
      return null;
    }
    const { name, encoder } = attachment.track;
    const { tracks, latencyKind } = this.stream;
    return { id: tracks.idOf(name), kind: config.kind, name, encoder, latencyKind, config };
  }

  private configOf(label: TrackLabel): readonly ControlItem[] {
    return this.guarded([], () => this.options.format.config(label, this.lastDtsMs));
  }

  private layOut(label: TrackLabel, unit: AccessUnit, place: Place): MediaItem | null {
    return this.guarded(null, () => this.options.format.unit(label, unit, place));
  }

  /** What `call` gives, or `otherwise` when it throws: an error that reached the track would end the delivery of it for good. */
  private guarded<Result>(otherwise: Result, call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      this.options.onFailure(error);
      return otherwise;
    }
  }

  /** Follows the tracks that the stream has now. */
  private syncTracks(): void {
    const { video, audio } = this.attachments;
    const wanted = { video: this.options.source.video(), audio: this.options.source.audio() };
    if (wanted.video !== null && wanted.video !== video?.track) {
      video?.detach();
      const attachment = { track: wanted.video, object: -1, detach: () => undefined };
      this.attachments.video = attachment;
      this.follow('video', attachment);
    }
    if (wanted.audio !== null && wanted.audio !== audio?.track) {
      audio?.detach();
      const attachment = { track: wanted.audio, object: -1, detach: () => undefined };
      this.attachments.audio = attachment;
      this.follow('audio', attachment);
    }
  }

  private follow(kind: 'video' | 'audio', attachment: Attachment): void {
    attachment.detach = attachment.track.attach({
      onConfig: () => {
        this.announce(attachment);
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
  }

  private take(kind: 'video' | 'audio', attachment: Attachment, unit: AccessUnit, group: number): void {
    if (this.subscribers.size === 0) {
      return;
    }
    const label = this.labelOf(attachment);
    const place = { group, object: attachment.object, isCached: false };
    const item = label === null ? null : this.layOut(label, unit, place);
    if (item === null) {
      return;
    }
    this.lastDtsMs = unit.dts / 1000;
    this.pending.push(item);
    this.burst = null;
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
      this.guarded(null, () => {
        subscriber.offer(batch);
        return null;
      });
    }
  }

  private broadcastControl(items: readonly ControlItem[]): void {
    this.flush();
    if (items.length > 0 && this.subscribers.size > 0) {
      this.broadcast({ items, framed: Buffer.concat(this.options.format.framing(items)), units: 0 });
    }
  }

  private announce(attachment: Attachment): void {
    const label = this.labelOf(attachment);
    if (label !== null) {
      this.broadcastControl(this.configOf(label));
    }
  }

  private tellState(): void {
    this.cancelTelling?.();
    this.cancelTelling = null;
    this.broadcastControl(this.options.format.state(this.stream));
  }

  /** Capture times appeared or went: viewers are told the new kind of latency. */
  private relabel(): void {
    if (this.stream.latencyKind === this.latencyKind) {
      return;
    }
    this.latencyKind = this.stream.latencyKind;
    for (const attachment of [this.attachments.video, this.attachments.audio]) {
      if (attachment !== null) {
        this.announce(attachment);
      }
    }
  }

  /**
   * The group that the track has cached, laid out as cached; empty when there is none or it is beyond the budget. Laid out once
   * for everybody who joins between two units.
   */
  private cachedGroup(video: Attachment<Track>, audio: Attachment | null): readonly MediaItem[] {
    const { units, group } = video.track.cachedGroup;
    const label = this.labelOf(video);
    const last = units.at(-1);
    if (label === null || last === undefined) {
      return [];
    }
    if (this.burst?.last !== last) {
      const items = this.layOutGroup({ units, group, label, audio });
      const bytes = items.reduce((sum, item) => sum + item.bytes.length, 0);
      this.burst = { last, items: bytes <= this.options.joinBurstBytes ? items : [] };
    }
    return this.burst.items;
  }

  private layOutGroup(parts: {
    readonly units: readonly AccessUnit[];
    readonly group: number;
    readonly label: TrackLabel;
    readonly audio: Attachment | null;
  }): MediaItem[] {
    const { units, group, label, audio } = parts;
    const { format } = this.options;
    const cached = units.map((unit, object) => ({
      unit,
      item: this.layOut(label, unit, { group, object, isCached: true }),
    }));
    const audioLabel = format.wantsCachedAudio ? this.labelOf(audio) : null;
    if (audio !== null && audioLabel !== null) {
      const place = { group: 0, object: 0, isCached: true };
      const frames = (audio.track.recentUnits ?? []).filter(({ dts }) => dts >= (units[0]?.dts ?? 0));
      cached.push(...frames.map((unit) => ({ unit, item: this.layOut(audioLabel, unit, place) })));
      cached.sort((one, other) => one.unit.dts - other.unit.dts);
    }
    return cached.flatMap(({ item }) => item ?? []);
  }
}
