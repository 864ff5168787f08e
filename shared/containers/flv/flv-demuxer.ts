// FLV tags (or RTMP messages) in, tracks and access units out. Keeps one video and one audio track; a changed sequence
// header announces the track again. What the pictures look like is told by a VideoDescriber, because containers know no codec.
// Used by the RTMP ingest and the CLI.

import { ContainerError } from '../../errors.ts';
import type { AccessUnit, AudioTrackConfig, TrackConfig, VideoTrackConfig } from '../../media/access-unit.ts';
import type { Microseconds } from '../../media/time.ts';
import { classifyAccessUnit } from './access-unit-class.ts';
import { audioTrackConfig, mp3TrackConfig } from './audio-config.ts';
import { parseAudioPayload } from './audio-payload.ts';
import type { AudioPayload } from './audio-payload.ts';
import { FLV_TAG_TYPES } from './flv-tag.ts';
import type { FlvTag } from './flv-tag.ts';
import { FlvTimeline } from './flv-timeline.ts';
import { parseOnMetaData } from './on-meta-data.ts';
import type { FlvMetaData } from './on-meta-data.ts';
import { parseVideoPayload } from './video-payload.ts';
import type { FlvVideoCodec, VideoPayload } from './video-payload.ts';

/** What a configuration record says about the pictures. */
export type VideoFacts = Pick<VideoTrackConfig, 'codec' | 'width' | 'height' | 'sampleAspect' | 'colour'>;

/**
 * Reads a configuration record (avcC, hvcC, av1C, vpcC). `hint` holds the publisher's own claims for what the record does not say.
 * Throws a coded error when the record is damaged.
 */
export type VideoDescriber = (codec: FlvVideoCodec, record: Uint8Array, hint: FlvMetaData) => VideoFacts;

export type FlvTrackName = 'video' | 'audio';

export type FlvDemuxerOptions = {
  readonly describeVideo: VideoDescriber;
  /** A track appeared or changed. Called before its first unit. */
  readonly onTrack: (name: FlvTrackName, config: TrackConfig) => void;
  readonly onUnit: (name: FlvTrackName, unit: AccessUnit) => void;
};

export type FlvDemuxerCounters = {
  /** Frames that came before the sequence header of their track. */
  readonly unitsBeforeConfig: number;
  /** Tags without media: commands, metadata, other scripts. */
  readonly ignoredTags: number;
};

/** Turns the tags of one publisher into tracks and units. Units are views on the tags' data. */
export class FlvDemuxer {
  readonly #options: FlvDemuxerOptions;
  readonly #timeline = new FlvTimeline();
  readonly #counters = { unitsBeforeConfig: 0, ignoredTags: 0 };
  readonly #lastDts = { video: -Infinity, audio: -Infinity };
  #metaData: FlvMetaData = {};
  #video: { readonly codec: FlvVideoCodec; readonly record: Uint8Array; readonly lengthSize: number } | null = null;
  #audio: { readonly codec: string; readonly record: Uint8Array } | null = null;

  constructor(options: FlvDemuxerOptions) {
    this.#options = options;
  }

  get counters(): FlvDemuxerCounters {
    return this.#counters;
  }

  /**
   * Takes one tag. Throws ContainerError for a malformed one, ProtocolError `unsupported-codec` for a refused codec, and what the
   * VideoDescriber throws.
   */
  push(tag: FlvTag, arrivalTime: Microseconds): void {
    if (tag.data.length === 0) {
      this.#counters.ignoredTags += 1; // some publishers send empty audio messages as a sign of life
      return;
    }
    switch (tag.type) {
      case FLV_TAG_TYPES.script:
        this.#pushScript(tag.data);
        break;
      case FLV_TAG_TYPES.video:
        this.#pushVideo(parseVideoPayload(tag.data), tag.timestamp, arrivalTime);
        break;
      case FLV_TAG_TYPES.audio:
        this.#pushAudio(parseAudioPayload(tag.data), tag.timestamp, arrivalTime);
        break;
    }
  }

  #pushScript(data: Uint8Array): void {
    const metaData = parseOnMetaData(data);
    if (metaData === null) {
      this.#counters.ignoredTags += 1;
    } else {
      this.#metaData = metaData;
    }
  }

  #pushVideo(payload: VideoPayload, timestamp: number, arrivalTime: Microseconds): void {
    switch (payload.kind) {
      case 'sequence-start':
        this.#configureVideo(payload.codec, payload.record);
        break;
      case 'coded-frames':
        this.#pushPicture(payload, timestamp, arrivalTime);
        break;
      case 'sequence-end':
      case 'metadata':
      case 'nothing':
        this.#counters.ignoredTags += 1;
        break;
    }
  }

  #configureVideo(codec: FlvVideoCodec, record: Uint8Array): void {
    if (record.length === 0) {
      throw new ContainerError('A video sequence header is empty.', 0);
    }
    if (this.#video?.codec === codec && equalBytes(this.#video.record, record)) {
      return;
    }
    const facts = this.#options.describeVideo(codec, record, this.#metaData);
    this.#video = { codec, record, lengthSize: nalLengthSize(codec, record) };
    const { framerate } = this.#metaData;
    this.#options.onTrack('video', {
      kind: 'video',
      ...facts,
      description: record,
      ...(framerate === undefined ? {} : { fps: framerate }),
    });
  }

  #pushPicture(
    payload: Extract<VideoPayload, { readonly kind: 'coded-frames' }>,
    timestamp: number,
    arrivalTime: Microseconds,
  ): void {
    const video = this.#video;
    if (video?.codec !== payload.codec) {
      this.#counters.unitsBeforeConfig += 1;
      return;
    }
    if (payload.data.length === 0) {
      this.#counters.ignoredTags += 1;
      return;
    }
    const time = this.#timeline.toMicroseconds(timestamp);
    this.#options.onUnit('video', {
      priority: classifyAccessUnit(payload.codec, payload.data, {
        lengthSize: video.lengthSize,
        isFlaggedKey: payload.isKeyframe,
      }),
      pts: (time + payload.compositionTime * 1000 + Math.round(payload.nanosecondOffset / 1000)) as Microseconds,
      dts: this.#monotonic('video', time),
      data: payload.data,
      arrivalTime,
    });
  }

  #pushAudio(payload: AudioPayload, timestamp: number, arrivalTime: Microseconds): void {
    switch (payload.kind) {
      case 'sequence-start':
        if (payload.codec !== 'mp3') {
          this.#configureAudio(audioTrackConfig(payload.codec, payload.record));
        }
        break;
      case 'coded-frames':
        this.#pushFrame(payload, timestamp, arrivalTime);
        break;
      case 'sequence-end':
      case 'nothing':
        this.#counters.ignoredTags += 1;
        break;
    }
  }

  #configureAudio(config: AudioTrackConfig): void {
    const record = config.description ?? new Uint8Array(0);
    if (this.#audio?.codec === config.codec && equalBytes(this.#audio.record, record)) {
      return;
    }
    this.#audio = { codec: config.codec, record };
    this.#options.onTrack('audio', config);
  }

  #pushFrame(
    payload: Extract<AudioPayload, { readonly kind: 'coded-frames' }>,
    timestamp: number,
    arrivalTime: Microseconds,
  ): void {
    if (payload.codec === 'mp3' && this.#audio === null) {
      const config = mp3TrackConfig(payload.data);
      if (config !== null) {
        this.#configureAudio(config);
      }
    }
    if (this.#audio === null) {
      this.#counters.unitsBeforeConfig += 1;
      return;
    }
    if (payload.data.length === 0) {
      this.#counters.ignoredTags += 1;
      return;
    }
    const time = this.#timeline.toMicroseconds(timestamp);
    const dts = this.#monotonic('audio', time);
    const pts = (dts + Math.round(payload.nanosecondOffset / 1000)) as Microseconds;
    this.#options.onUnit('audio', { priority: 'key', pts, dts, data: payload.data, arrivalTime });
  }

  /** Decoding times never step back within a track, whatever the publisher sends. */
  #monotonic(track: FlvTrackName, time: Microseconds): Microseconds {
    this.#lastDts[track] = Math.max(this.#lastDts[track], time);
    return this.#lastDts[track] as Microseconds;
  }
}

/** Bytes of the length before each NAL unit: lengthSizeMinusOne + 1 of avcC (ISO/IEC 14496-15, 5.3.3.1) and hvcC (8.3.3.1). */
function nalLengthSize(codec: FlvVideoCodec, record: Uint8Array): number {
  switch (codec) {
    case 'avc':
      return ((record.at(4) ?? 3) & 3) + 1;
    case 'hevc':
      return ((record.at(21) ?? 3) & 3) + 1;
    case 'av1':
    case 'vp9':
      return 4;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
