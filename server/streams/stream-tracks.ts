// The tracks of one stream: what the publisher announced (`video` becomes `source`), and the renditions of it. A raw picture
// track becomes `source` through our encoder: the publisher's pictures are the input of a rendition named `source`.

import { ProtocolError } from '../../shared/errors.ts';
import type { TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { RenditionInfo } from '../../shared/protocol/viewer-messages.ts';
import { RenditionSet, type HeldRendition } from './rendition-set.ts';
import type { RenditionDescription, RunningRendition } from './roles.ts';
import type { StreamContext } from './stream-context.ts';
import { Track } from './track.ts';

/** Names that viewers know. */
export const SOURCE = 'source';
const AUDIO = 'audio';
const RAW = 'raw';

/** What a publisher may call its tracks. */
const PUBLISHER_NAME = /^(video|audio)\d{0,2}$/;
/** Bits per pixel that our encoder gets for the source of a raw publisher. */
const RAW_BITS_PER_PIXEL = 0.1;
const RAW_KBPS = { min: 300, max: 8000 } as const;
const ASSUMED_FPS = 30;

type Events = {
  readonly onChange: (change: 'tracks' | 'menu') => void;
  readonly onKeyframeWanted: () => void;
  readonly onSourceFailed: (reason: string) => void;
};

export class StreamTracks {
  hasCaptureTimes = false;
  private readonly context: StreamContext;
  private readonly streamId: StreamId;
  private readonly events: Events;
  private readonly byName = new Map<string, Track>();
  private readonly byPublisherName = new Map<string, Track>();
  private readonly renditions: RenditionSet;
  private readonly ids = new Map<string, number>();
  private rawEncoder: RunningRendition | null = null;

  constructor(context: StreamContext, streamId: StreamId, events: Events) {
    this.context = context;
    this.streamId = streamId;
    this.events = events;
    this.renditions = new RenditionSet(context, streamId, () => {
      events.onChange('menu');
    });
  }

  /** Everything a viewer could watch now, renditions that run included. */
  get all(): readonly Track[] {
    return [...this.byName.values()].filter(({ name }) => name !== RAW).concat(this.renditions.tracks);
  }

  get source(): Track | null {
    return this.byName.get(SOURCE) ?? null;
  }

  get audio(): Track | null {
    return this.byName.get(AUDIO) ?? null;
  }

  /** The header's track id of a name: the same for the life of the stream. */
  idOf(name: string): number {
    const id = this.ids.get(name) ?? this.ids.size % 256;
    this.ids.set(name, id);
    return id;
  }

  ofPublisher(name: string): Track | null {
    return this.byPublisherName.get(name) ?? null;
  }

  /** Starts or joins a rendition of ours; null when it is not on offer. */
  holdRendition(name: string): HeldRendition | null {
    return this.renditions.hold(name);
  }

  /** The rendition menu, best first, the source last; and why it has no rendition of ours. */
  menu(): { readonly renditions: readonly RenditionInfo[]; readonly reason?: string } {
    const { source } = this;
    const offer = this.renditions.offer();
    const made = offer.renditions.map((rendition) => ({ ...rendition, encoder: 'tessera' as const }));
    const config = source?.config;
    if (source === null || config?.kind !== 'video') {
      return { renditions: made };
    }
    const { width, height } = config;
    const fps = source.fps || (config.fps ?? 0);
    const own = { name: SOURCE, width, height, fps, kbps: source.kbps, encoder: source.encoder };
    return { renditions: [...made, own], ...(offer.reason === undefined ? {} : { reason: offer.reason }) };
  }

  /** A new publisher: nothing passes before its first key units, and it announces its tracks anew. */
  startEpoch(): void {
    this.byPublisherName.clear();
    this.hasCaptureTimes = false;
    for (const track of this.byName.values()) {
      track.awaitKey();
    }
  }

  noteCaptureTime(isPresent: boolean): void {
    if (isPresent && !this.hasCaptureTimes) {
      this.hasCaptureTimes = true;
      this.events.onChange('tracks');
    }
  }

  /** A publisher's track, or a change of it. Throws ProtocolError: malformed (its name), limit, unsupported-codec. */
  announce(name: string, config: TrackConfig): void {
    if (!PUBLISHER_NAME.test(name) || !name.startsWith(config.kind)) {
      throw new ProtocolError(
        'malformed',
        `A ${config.kind} track is called ${config.kind}, ${config.kind}2 and so on.`,
      );
    }
    if (!this.byPublisherName.has(name) && this.byPublisherName.size >= this.context.limits.tracksPerPublisher) {
      throw new ProtocolError('limit', `A publisher has at most ${this.context.limits.tracksPerPublisher} tracks.`);
    }
    const isRaw = config.kind === 'video' && config.codec === RAW_CODEC;
    if (isRaw && (name !== 'video' || this.context.renditions === undefined)) {
      throw new ProtocolError('unsupported-codec', 'This server encodes no raw pictures for this track.');
    }
    const track = this.trackFor(isRaw ? RAW : name === 'video' ? SOURCE : name);
    this.byPublisherName.set(name, track);
    track.setConfig(config);
    if (config.kind === 'video' && name === 'video') {
      this.sourceChanged(track, config, isRaw);
    }
    this.events.onChange('tracks');
  }

  tick(epochMs: number): void {
    for (const track of this.byName.values()) {
      track.tick(epochMs);
    }
    for (const track of this.renditions.tracks) {
      track.tick(epochMs);
    }
  }

  end(): void {
    this.stopRawEncoder();
    this.renditions.setSource(null, null);
    const ended = [...this.byName.values()];
    this.byName.clear();
    this.byPublisherName.clear();
    for (const track of ended) {
      track.end();
    }
  }

  private trackFor(name: string, encoder: Track['encoder'] = 'publisher'): Track {
    const known = this.byName.get(name);
    if (known?.encoder === encoder) {
      return known;
    }
    const track = new Track(this.context, {
      stream: this.streamId,
      name,
      encoder,
      onKeyframeWanted: () => {
        if (this.rawEncoder !== null && name === SOURCE) {
          this.rawEncoder.requestKeyframe();
        } else {
          this.events.onKeyframeWanted();
        }
      },
    });
    this.byName.set(name, track);
    known?.end();
    if (name === SOURCE && encoder === 'publisher') {
      this.context.watcher?.watch(this.streamId, track); // until the track ends
    }
    return track;
  }

  private sourceChanged(track: Track, config: VideoTrackConfig, isRaw: boolean): void {
    this.stopRawEncoder();
    if (isRaw) {
      this.startRawEncoder(track, config);
    } else if (this.byName.has(RAW)) {
      this.byName.get(RAW)?.end();
      this.byName.delete(RAW);
    }
    this.renditions.setSource(track, config);
  }

  private startRawEncoder(raw: Track, config: VideoTrackConfig): void {
    const output = this.trackFor(SOURCE, 'tessera');
    const fps = config.fps ?? ASSUMED_FPS;
    const kbps = (config.width * config.height * fps * RAW_BITS_PER_PIXEL) / 1000;
    const description: RenditionDescription = {
      name: SOURCE,
      width: config.width,
      height: config.height,
      fps,
      kbps: Math.round(Math.min(RAW_KBPS.max, Math.max(RAW_KBPS.min, kbps))),
    };
    const run: { isActive: boolean } = { isActive: true };
    const work = this.context.renditions?.start(this.streamId, raw, description, {
      setConfig: (made) => {
        if (run.isActive) {
          output.setConfig(made);
          this.events.onChange('tracks');
        }
      },
      push: (unit, stats) => {
        if (run.isActive) {
          output.push(unit, stats);
        }
      },
      fail: (reason) => {
        if (run.isActive) {
          run.isActive = false;
          this.events.onSourceFailed(reason);
        }
      },
    });
    this.rawEncoder =
      work === undefined
        ? null
        : {
            requestKeyframe: () => {
              work.requestKeyframe();
            },
            stop: () => {
              run.isActive = false;
              work.stop();
            },
          };
  }

  private stopRawEncoder(): void {
    this.rawEncoder?.stop();
    this.rawEncoder = null;
  }
}
