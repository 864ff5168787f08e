// Everything that a worker does for one source: units -> decoder -> pictures -> every rendition. One decoding for all renditions,
// groups aligned, pictures that come too late dropped whole before the encoders. Called by transcode-worker.ts.

import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import { PictureMeter } from '../../shared/pixels/picture-meter.ts';
import type { EncodeStats, RenditionDescription } from '../streams/roles.ts';
import type { CodecSet } from './codec-set.ts';
import { createFrameDecoder, type FrameDecoder } from './frame-decoder.ts';
import { FrameRateMeter } from './frame-rate-meter.ts';
import { GroupSchedule } from './group-schedule.ts';
import type { RenditionLane } from './rendition-lane.ts';
import { RenditionTeam } from './rendition-team.ts';
import type { MeasuredPicture, SourceStart } from './worker-messages.ts';

/** A unit as it reaches the worker. */
export type PipelineUnit = {
  readonly unit: AccessUnit;
  readonly isCatchUp: boolean;
  readonly queuedAt: number;
  readonly index: number;
};

export type PipelineEvents = {
  readonly onConfig: (rendition: string, config: VideoTrackConfig) => void;
  readonly onUnit: (rendition: string, unit: AccessUnit, stats: EncodeStats) => void;
  /** A picture of the source was looked at. */
  readonly onPicture: (picture: MeasuredPicture) => void;
  readonly onDropped: (reason: 'late' | 'decoder') => void;
  readonly onCost: (work: 'encode' | 'decode', size: { width: number; height: number }, ms: number) => void;
  readonly onUnsupported: (sentence: string) => void;
  readonly onDecoderDied: (sentence: string) => void;
};

/** What the thread is busy with. */
type Phase = 'idle' | 'decoding' | 'encoding';

export type PipelineHost = {
  readonly codecs: CodecSet;
  /** Threads that encode renditions beside this one. */
  readonly lanes: readonly RenditionLane[];
  readonly events: PipelineEvents;
  /** Milliseconds on the clock of `queuedAt`. */
  readonly now: () => number;
  /** CPU milliseconds of this thread. */
  readonly cpuNow: () => number;
  /** Index of the newest unit on its way to this pipeline. */
  readonly newestIndex: () => number;
  /** Tells the watchdog what the thread is busy with. */
  readonly onPhase: (phase: Phase) => void;
  readonly decodeBudgetMs: number;
  /** Age from which a picture is not encoded when a newer unit is waiting. */
  readonly lateMs: number;
};

/** A unit whose picture is awaited: how long it waited for the decoder, and when decoding began. */
type PendingUnit = PipelineUnit & { readonly queueMs: number; readonly startedAt: number };

/** Even a hopelessly slow machine shows a picture this often. */
const LONGEST_PAUSE_US = 500_000;
/** A picture of the source is looked at this often. */
const MEASURE_EVERY_US = 500_000;
/** Units whose picture has not come out yet; more means that pictures are lost. */
const MAX_PENDING = 256;

export class SourcePipeline {
  private readonly host: PipelineHost;
  private readonly team: RenditionTeam;
  private readonly pending = new Map<number, PendingUnit>();
  private readonly rate = new FrameRateMeter();
  private readonly schedule = new GroupSchedule();
  private readonly meter = new PictureMeter();
  private measuredUs: number | null = null;
  private decoder: FrameDecoder | null = null;
  private source: SourceStart;
  private isGroupDue = true;
  private phase: Phase = 'idle';
  private encodedMs = 0;
  private lastEncodedUs = 0;

  constructor(source: SourceStart, host: PipelineHost) {
    this.host = host;
    this.source = source;
    const { onConfig, onUnit, onCost } = host.events;
    this.team = new RenditionTeam({
      ...host,
      onConfig,
      onUnit,
      onCost: (size, ms) => {
        onCost('encode', size, ms);
      },
    });
    this.setSource(source);
  }

  /** Starts decoding anew: another size, other parameter sets, or a decoder that died. Renditions go on with an IDR picture. */
  setSource(source: SourceStart): void {
    void this.decoder?.close();
    this.source = source;
    this.pending.clear();
    this.isGroupDue = true;
    const { events } = this.host;
    this.decoder = createFrameDecoder(source, this.host.codecs, this.host.decodeBudgetMs, {
      onFrame: (frame) => {
        this.onFrame(frame);
      },
      onDropped: () => {
        events.onDropped('decoder');
      },
      onUnsupported: events.onUnsupported,
      onDied: (sentence) => {
        this.decoder = null;
        events.onDecoderDied(sentence);
      },
    });
  }

  addRendition(description: RenditionDescription): void {
    this.team.add(description);
  }

  removeRendition(name: string): void {
    this.team.remove(name);
  }

  requestKeyframe(name: string): void {
    this.team.requestKeyframe(name);
  }

  /** Decodes one unit and encodes the pictures that come out (with ffmpeg: later, as they come). */
  push(unit: PipelineUnit): void {
    if (this.decoder === null) {
      this.host.events.onDropped('decoder');
      return;
    }
    this.remember(unit);
    if (unit.unit.priority === 'key' && this.source.decoder.kind !== 'raw') {
      this.schedule.onSourceKey(unit.unit.pts);
    }
    const startedAt = this.host.cpuNow();
    this.encodedMs = 0;
    this.setPhase('decoding');
    this.decoder.decode(unit.unit);
    this.setPhase('idle');
    if (this.source.decoder.kind === 'tessera') {
      this.host.events.onCost('decode', this.source.config, this.host.cpuNow() - startedAt - this.encodedMs);
    }
  }

  /** Resolves when the decoder's child, if it had one, is gone. */
  async close(): Promise<void> {
    const { decoder } = this;
    this.decoder = null;
    this.team.close();
    await decoder?.close();
  }

  private remember(unit: PipelineUnit): void {
    this.rate.observe(unit.unit.dts);
    if (this.pending.size >= MAX_PENDING) {
      const oldest = this.pending.keys().next();
      if (!oldest.done) {
        this.pending.delete(oldest.value);
      }
    }
    const startedAt = this.host.now();
    this.pending.set(unit.unit.pts, { ...unit, startedAt, queueMs: startedAt - unit.queuedAt });
  }

  private onFrame(frame: I420Frame): void {
    const origin = this.pending.get(frame.timestamp);
    this.pending.delete(frame.timestamp);
    try {
      if (origin !== undefined) {
        this.onPicture(frame, origin);
      }
    } finally {
      frame.close();
    }
  }

  private isLate(frame: I420Frame, origin: PipelineUnit): boolean {
    return (
      this.host.now() - origin.queuedAt > this.host.lateMs &&
      origin.index < this.host.newestIndex() &&
      Math.abs(frame.timestamp - this.lastEncodedUs) < LONGEST_PAUSE_US
    );
  }

  private onPicture(frame: I420Frame, origin: PendingUnit): void {
    const isRaw = this.source.decoder.kind === 'raw';
    if (origin.unit.priority === 'key' && !isRaw) {
      this.isGroupDue = true; // stays due when this very picture is dropped
    }
    if (origin.isCatchUp) {
      return;
    }
    this.measure(frame, origin);
    if (this.isLate(frame, origin)) {
      this.host.events.onDropped('late');
      return;
    }
    this.lastEncodedUs = frame.timestamp;
    this.encode(frame, origin);
  }

  private measure(frame: I420Frame, { unit }: PipelineUnit): void {
    const sinceUs = this.measuredUs === null ? null : frame.timestamp - this.measuredUs;
    if (sinceUs !== null && sinceUs >= 0 && sinceUs < MEASURE_EVERY_US) {
      return;
    }
    this.measuredUs = frame.timestamp;
    const sinceMs = sinceUs === null || sinceUs < 0 ? null : sinceUs / 1000;
    this.host.events.onPicture({ ...this.meter.measure(frame.y), sinceMs, arrivalTime: unit.arrivalTime });
  }

  private encode(frame: I420Frame, origin: PendingUnit): void {
    const { captureTime, arrivalTime } = origin.unit;
    const isRaw = this.source.decoder.kind === 'raw';
    const times = {
      arrivalTime,
      ...(captureTime === undefined ? {} : { captureTime }),
      queueMs: origin.queueMs,
      ...(isRaw ? {} : { decodeMs: this.host.now() - origin.startedAt }),
    };
    const before = this.phase; // idle when the picture comes from a child
    this.setPhase('encoding');
    const startsGroup = this.schedule.startsGroup(frame.timestamp, this.isGroupDue);
    this.isGroupDue = false;
    const sourceFps = this.rate.fps ?? this.source.config.fps ?? 30;
    this.encodedMs += this.team.encode(frame, { times, startsGroup, sourceFps });
    this.setPhase(before);
  }

  private setPhase(phase: Phase): void {
    this.phase = phase;
    this.host.onPhase(phase);
  }
}
