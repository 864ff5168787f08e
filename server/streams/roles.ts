// What a stream is to the rooms around it: ingest fills a PublisherSlot, delivery reads StreamTracks through TrackSinks,
// transcode offers renditions through a RenditionProvider. The rooms never see each other, only these roles.

import type { AccessUnit, EncodedBy, TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import type { PeerErrorCode } from '../../shared/errors.ts';

export type PublishRequest = {
  readonly streamId: StreamId;
  /** The key as the publisher sent it; compared in constant time, never logged. */
  readonly key: string;
  readonly protocol: 'rtmp' | 'websocket' | 'internal';
  /** For operators on the console only; never stored in telemetry. */
  readonly address?: string;
  /** The slot is no longer the publisher's: told once, with the reason. */
  readonly onRevoked: (code: PeerErrorCode, sentence: string) => void;
  /** A viewer or rendition needs a key frame soon; already rate-limited. Absent where the protocol cannot ask. */
  readonly onKeyframeWanted?: () => void;
};

/** The one place of a stream that a publisher holds. Timestamps are the publisher's own; the stream maps them to its timeline. */
export interface PublisherSlot {
  readonly streamId: StreamId;
  /** 1 for the first publisher of a stream, + 1 with each takeover or reconnect. */
  readonly epoch: number;
  /** Random per publisher; what telemetry calls its session. */
  readonly session?: string;
  /** Who watches now, for the publisher's own display. */
  viewerCount?(): number;
  /** The publisher's capture times are this far ahead of the server's clock (behind: negative) and were left out. */
  reportClock?(offMs: number): void;
  /** Announces a track or a change of it (new size, new parameter sets). Names: `video`, `audio`, `video2`, ... */
  setTrack(name: string, config: TrackConfig): void;
  push(track: string, unit: AccessUnit): void;
  /** `finished`: the publisher said goodbye, the stream ends. `lost`: the stream stays and waits for a reconnect. */
  close(how: 'finished' | 'lost'): void;
}

/** Who may publish where. Implemented by the stream registry with the keys of the configuration. */
export interface PublishAdmission {
  /** Throws ProtocolError: wrong-key, busy, limit, overloaded. Takes over a silent or dead publisher with the same key. */
  open(request: PublishRequest): PublisherSlot;
}

/** Takes the units of one track. Calls are synchronous and must be quick; a sink that needs time has its own bounded queue. */
export interface TrackSink {
  onConfig(config: TrackConfig): void;
  /** `group` grows by one with each key unit; the first call after attach is a key unit (for video). `isCached`: part of the join burst. */
  onUnit(unit: AccessUnit, group: number, isCached: boolean): void;
  onEnd(): void;
}

export interface StreamTrack {
  /** `source`, `audio`, or the rendition's name. */
  readonly name: string;
  readonly config: TrackConfig | null;
  readonly encoder: EncodedBy;
  /** The last seconds of an audio track, for readers that start at a key picture and not at the live edge. */
  readonly recentUnits?: readonly AccessUnit[];
  /** Replays the cached group into the sink, then follows live. Returns the detach function. */
  attach(sink: TrackSink): () => void;
  requestKeyframe(): void;
}

export type RenditionDescription = {
  readonly name: string; // `720p`
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
};

/** What our encoder knows about a frame that it made. Milliseconds; `encodeMs` includes scaling. */
export type EncodeStats = {
  readonly encodeMs: number;
  readonly qp: number;
  /** Waiting for the transcoder, decoding, scaling: where they are told apart. */
  readonly queueMs?: number;
  readonly decodeMs?: number;
  readonly scaleMs?: number;
};

/** Where a running rendition puts what it made. */
export interface RenditionSink {
  setConfig(config: VideoTrackConfig): void;
  push(unit: AccessUnit, stats: EncodeStats): void;
  /** The worker died or the input cannot be decoded; `reason` is shown to viewers and operators. */
  fail(reason: string): void;
}

export interface RunningRendition {
  requestKeyframe(): void;
  stop(): void;
}

/** Makes renditions of a source, only while somebody watches them. Implemented by server/transcode. */
export interface RenditionProvider {
  /** What could be made of this source now, best first, or why nothing can. */
  offer(source: VideoTrackConfig): { readonly renditions: readonly RenditionDescription[]; readonly reason?: string };
  start(
    streamId: StreamId,
    source: StreamTrack,
    rendition: RenditionDescription,
    sink: RenditionSink,
  ): RunningRendition;
}

/** Looks at the pictures of a source now and then, for telemetry. Implemented by server/transcode. */
export interface SourceWatcher {
  /** Until the returned function is called or the track ends. */
  watch(streamId: StreamId, source: StreamTrack): () => void;
}

/** Makes AAC of audio that FLV players do not take. Implemented by server/transcode. */
export interface AacProvider {
  /** The AAC twin of an Opus track: made once per stream and only while something is attached; or why it cannot be made. */
  aacOf(source: StreamTrack): StreamTrack | { readonly reason: string };
}
