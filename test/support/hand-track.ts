// A source track that a test pushes units into, and the sinks that write down what comes: the stream's side of the transcode room.

import type { AccessUnit, TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { joinAnnexB } from '../../shared/bitstream/annex-b.ts';
import { parseAvcDecoderConfigurationRecord, splitLengthPrefixed } from '../../shared/bitstream/avcc.ts';
import type { RenditionSink, StreamTrack, TrackSink } from '../../server/streams/roles.ts';

/** Keeps the current group, as the real track does, and replays it to whoever attaches. */
export class HandTrack implements StreamTrack {
  readonly name = 'source';
  readonly encoder = 'publisher';
  readonly config: TrackConfig;
  readonly sinks = new Set<TrackSink>();
  keyframeRequests = 0;
  private cached: AccessUnit[] = [];
  private group = -1;

  constructor(config: TrackConfig) {
    this.config = config;
  }

  attach(sink: TrackSink): () => void {
    sink.onConfig(this.config);
    for (const unit of this.cached) {
      sink.onUnit(unit, this.group, true);
    }
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }

  requestKeyframe(): void {
    this.keyframeRequests++;
  }

  push(...units: readonly AccessUnit[]): void {
    for (const unit of units) {
      if (unit.priority === 'key') {
        this.group++;
        this.cached = [];
      }
      const isCacheable = this.config.kind === 'video' && this.config.codec !== 'raw/i420';
      if (isCacheable) {
        this.cached.push(unit);
      }
      for (const sink of this.sinks) {
        sink.onUnit(unit, this.group, false);
      }
    }
  }
}

/** Collects the units of one rendition. */
export class RecordingSink implements RenditionSink {
  readonly configs: VideoTrackConfig[] = [];
  readonly units: AccessUnit[] = [];
  readonly stats: { readonly encodeMs: number; readonly qp: number }[] = [];
  readonly failures: string[] = [];

  setConfig(config: VideoTrackConfig): void {
    this.configs.push(config);
  }

  push(unit: AccessUnit, stats: { readonly encodeMs: number; readonly qp: number }): void {
    this.units.push(unit);
    this.stats.push(stats);
  }

  fail(reason: string): void {
    this.failures.push(reason);
  }

  /** Presentation times of the key units, in microseconds. */
  get keyTimes(): number[] {
    return this.units.filter(({ priority }) => priority === 'key').map(({ pts }) => pts);
  }

  /** All units as an H.264 byte stream, parameter sets of the last configuration first. */
  byteStream(from = 0): Uint8Array {
    const record = parseAvcDecoderConfigurationRecord(this.configs.at(-1)!.description!);
    const slices = this.units
      .slice(from)
      .flatMap(({ data }) =>
        splitLengthPrefixed(data, record.lengthSize).map(({ start, end }) => data.subarray(start, end)),
      );
    return joinAnnexB([...record.sequenceParameterSets, ...record.pictureParameterSets, ...slices]);
  }
}
