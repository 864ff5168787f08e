// AAC for FLV players of a stream whose audio is Opus: one ffmpeg child per stream, only while somebody listens. Packets keep their
// timestamps (NUT both ways); gaps are filled by the resampler. Implements AacProvider for the streams; made by the composition root.

import type { AccessUnit, AudioTrackConfig, TrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { Logger } from '../../platform/logger.ts';
import { RecentUnits } from '../../streams/group-cache.ts';
import type { AacProvider, StreamTrack, TrackSink } from '../../streams/roles.ts';
import { RestartPolicy } from '../restart-policy.ts';
import { FFMPEG_MISSING, locateFfmpeg } from './ffmpeg-binary.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import { NutReader } from './nut-reader.ts';
import { writeNutFrame, writeNutHeader } from './nut-writer.ts';

const MAX_QUEUED_BYTES = 1 << 20;
const MAX_FRAME_BYTES = 1 << 16;
/** NUT has no negative times, and AAC starts one frame before its input. */
const TIME_OFFSET_US = 3_600_000_000;
/** Packets whose arrival is remembered until their AAC comes out. */
const MAX_PENDING = 256;

export class OpusToAac implements AacProvider {
  private readonly logger: Logger;
  private readonly tracks = new WeakMap<StreamTrack, AacTrack>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  aacOf(source: StreamTrack): StreamTrack | { readonly reason: string } {
    if (locateFfmpeg() === null) {
      return { reason: `The audio is Opus, FLV players need AAC, and ${FFMPEG_MISSING}.` };
    }
    const known = this.tracks.get(source);
    if (known !== undefined) {
      return known;
    }
    const track = new AacTrack(source, this.logger);
    this.tracks.set(source, track);
    return track;
  }
}

/** The AAC twin of one audio track. */
class AacTrack implements StreamTrack {
  readonly name: string;
  readonly encoder = 'tessera';
  private readonly source: StreamTrack;
  private readonly logger: Logger;
  private readonly restarts = new RestartPolicy();
  private sinks: readonly TrackSink[] = [];
  private current: AudioTrackConfig | null = null;
  private child: FfmpegChild | null = null;
  private detach: (() => void) | null = null;
  private restartTimer: NodeJS.Timeout | null = null;
  private readonly recent = new RecentUnits();
  private pending: AccessUnit[] = [];
  private group = 0;

  constructor(source: StreamTrack, logger: Logger) {
    this.source = source;
    this.logger = logger;
    this.name = source.name;
  }

  /** Null until the first packet has come out. */
  get config(): TrackConfig | null {
    return this.current;
  }

  get recentUnits(): readonly AccessUnit[] {
    return this.recent.units;
  }

  attach(sink: TrackSink): () => void {
    this.sinks = [...this.sinks, sink];
    if (this.current !== null) {
      sink.onConfig(this.current);
    }
    if (this.detach === null) {
      this.detach = this.source.attach({
        onConfig: (config) => {
          this.start(config);
        },
        onUnit: (unit) => {
          this.take(unit);
        },
        onEnd: () => {
          this.end();
        },
      });
      // Who listens may start at a key picture of a while ago.
      for (const unit of this.source.recentUnits ?? []) {
        this.take(unit);
      }
    }
    return () => {
      this.sinks = this.sinks.filter((other) => other !== sink);
      if (this.sinks.length === 0) {
        this.stop();
      }
    };
  }

  /** Audio has no key frames. */
  requestKeyframe(): void {
    return;
  }

  private start(config: TrackConfig): void {
    this.closeChild();
    const binary = locateFfmpeg();
    if (config.kind !== 'audio' || config.codec !== 'opus' || binary === null) {
      return;
    }
    const { sampleRate, channels, description } = config;
    const reader = new NutReader(
      {
        onStream: (header) => {
          this.announce({
            kind: 'audio',
            codec: 'mp4a.40.2',
            description: header.description,
            sampleRate: header.sampleRate,
            channels: header.channels,
          });
        },
        onFrame: (frame) => {
          this.emit(frame.ptsUs - TIME_OFFSET_US, frame.data);
        },
      },
      MAX_FRAME_BYTES,
    );
    const child = new FfmpegChild({
      binary,
      input: 'pipe',
      inputOptions: ['-probesize', '32', '-analyzeduration', '1', '-f', 'nut'],
      outputOptions: [
        ...['-map', '0:a:0', '-copyts', '-af', 'aresample=async=1000', '-c:a', 'aac', '-b:a', '128k'],
        ...['-flush_packets', '1', '-f', 'nut'],
      ],
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onOutput: (chunk) => {
        if (this.child === child) {
          reader.push(chunk);
        }
      },
      onEnd: (failure) => {
        if (this.child === child) {
          this.child = null;
          this.startAgain(config, failure ?? 'ffmpeg ended');
        }
      },
    });
    this.child = child;
    const header = { kind: 'audio', fourcc: 'Opus', sampleRate, channels } as const;
    child.write([writeNutHeader(description === undefined ? header : { ...header, description })]);
  }

  private startAgain(config: TrackConfig, why: string): void {
    const restart = this.restarts.onDeath(performance.now(), 0, false);
    this.logger.warn({ track: this.name, why }, 'the AAC transcode ended');
    if (restart.kind === 'give-up' || this.sinks.length === 0) {
      return;
    }
    this.restartTimer = setTimeout(() => {
      this.restartTimer = null;
      this.start(config);
    }, restart.delayMs);
  }

  private take(unit: AccessUnit): void {
    if (this.child === null) {
      return;
    }
    if (this.pending.length >= MAX_PENDING) {
      this.pending.shift();
    }
    this.pending.push(unit);
    this.child.write(writeNutFrame(unit.data, unit.pts + TIME_OFFSET_US, true));
  }

  private announce(config: AudioTrackConfig): void {
    this.current = config;
    for (const sink of this.sinks) {
      sink.onConfig(config);
    }
  }

  private emit(ptsUs: number, data: Uint8Array): void {
    const origin = this.originOf(ptsUs);
    if (origin === undefined || ptsUs < 0) {
      return; // before the stream's start there is only the encoder's delay
    }
    const pts = microseconds(ptsUs);
    const { arrivalTime, captureTime } = origin;
    const unit: AccessUnit = {
      priority: 'key',
      pts,
      dts: pts,
      data,
      arrivalTime,
      ...(captureTime === undefined ? {} : { captureTime }),
    };
    this.group++;
    this.recent.push(unit);
    for (const sink of this.sinks) {
      sink.onUnit(unit, this.group, false);
    }
  }

  /** The newest packet that starts at or before the time, else the oldest that is remembered. */
  private originOf(ptsUs: number): AccessUnit | undefined {
    while (this.pending.length > 1 && (this.pending[1]?.pts ?? Infinity) <= ptsUs) {
      this.pending.shift();
    }
    return this.pending[0];
  }

  private end(): void {
    const { sinks } = this;
    this.sinks = [];
    this.stop();
    for (const sink of sinks) {
      sink.onEnd();
    }
  }

  private stop(): void {
    this.detach?.();
    this.detach = null;
    if (this.restartTimer !== null) {
      clearTimeout(this.restartTimer);
      this.restartTimer = null;
    }
    this.closeChild();
    this.current = null;
    this.recent.clear();
    this.pending = [];
  }

  private closeChild(): void {
    const { child } = this;
    this.child = null;
    child?.close();
  }
}
