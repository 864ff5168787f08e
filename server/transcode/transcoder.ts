// Makes renditions while somebody watches them: chooses the decoder, admits by measured CPU, shares one decoding per source.
// Implements RenditionProvider for the streams; made by the composition root.

import { availableParallelism } from 'node:os';
import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type {
  RenditionDescription,
  RenditionProvider,
  RenditionSink,
  RunningRendition,
  SourceWatcher,
  StreamTrack,
} from '../streams/roles.ts';
import { asSentence } from './as-sentence.ts';
import { CostModel, CpuAdmission, MAX_THREAD_SHARE, type RunningSource } from './cpu-admission.ts';
import { FFMPEG_MISSING, locateFfmpeg } from './ffmpeg/ffmpeg-binary.ts';
import { ffmpegFourcc } from './ffmpeg/ffmpeg-decoder.ts';
import { ladderFor, type LadderEntry } from './rendition-ladder.ts';
import { inspectSource } from './source-inspection.ts';
import { SourceTranscode } from './source-transcode.ts';
import { KeyPictureProbe, pooledKeyPictures } from './key-picture-probe.ts';
import { lanesFor } from './thread-load.ts';
import { createTranscodeMetrics, type TranscodeMetrics } from './transcode-metrics.ts';
import { sharedNow, type DecoderChoice, type MeasuredPicture } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export type TranscoderOptions = {
  /** transcode.ladder; absent: automatic. */
  readonly ladder?: readonly LadderEntry[] | undefined;
  /** transcode.maxCpu: share of all cores. */
  readonly maxCpu: number;
  readonly decodeBudgetMs: number;
  /** health.pictureCpu: share of one core for looking at the key pictures of what nobody transcodes; default 0 = off. */
  readonly pictureCpu?: number;
  readonly logger: Logger;
  readonly reporter: Reporter;
  readonly metrics: Metrics;
  /** Cores of the machine; for tests. */
  readonly cores?: number;
  /** Share of the time that decoding a picture and encoding it on all threads may take; default 0.9. */
  readonly maxThreadShare?: number;
  /** Age from which a picture is dropped before the encoders; default 200. */
  readonly lateMs?: number;
};

type Work = {
  readonly transcode: SourceTranscode;
  readonly source: StreamTrack;
  readonly running: RunningSource;
  readonly descriptions: Map<string, RenditionDescription>;
};

type Size = { readonly width: number; readonly height: number };

const STOPPED: RunningRendition = { requestKeyframe: () => undefined, stop: () => undefined };
const ASSUMED_FPS = 30;
const LATE_MS = 200;

/** Pictures left out are told to telemetry this often at most. */
const DROPS_TOLD_MS = 500;

export class Transcoder implements RenditionProvider, SourceWatcher {
  private readonly options: TranscoderOptions;
  private readonly costs = new CostModel();
  private readonly admission: CpuAdmission;
  private readonly pool: WorkerPool;
  private readonly metrics: TranscodeMetrics;
  private readonly works = new Map<StreamTrack, Work>();
  private readonly probe: KeyPictureProbe;

  constructor(options: TranscoderOptions) {
    this.options = options;
    const cores = options.cores ?? availableParallelism();
    const lanes = lanesFor(cores);
    this.admission = new CpuAdmission({
      cores,
      maxCpu: options.maxCpu,
      maxThreadShare: options.maxThreadShare ?? MAX_THREAD_SHARE,
      encodingThreads: 1 + lanes,
    });
    this.pool = new WorkerPool({
      maxWorkers: Math.max(2, 4 * cores),
      decodeBudgetMs: options.decodeBudgetMs,
      lateMs: options.lateMs ?? LATE_MS,
      lanes,
      onCalibration: ({ width, height, encodeMs }) => {
        this.costs.observe('encode', { width, height }, encodeMs);
        options.logger.debug({ width, height, encodeMs }, 'a transcode worker is ready');
      },
    });
    this.probe = new KeyPictureProbe({
      executor: pooledKeyPictures(this.pool),
      maxShare: options.pictureCpu ?? 0,
      now: sharedNow,
      isTranscoded: (source) => this.works.has(source),
      onPicture: (stream, picture) => {
        this.reportPicture(stream, picture);
      },
      onSkipped: () => {
        this.metrics.skippedKeyPictures.inc();
      },
    });
    this.metrics = createTranscodeMetrics(options.metrics, {
      usedCores: () => this.admission.used,
      allowedCores: () => this.admission.capacity,
      workers: () => this.pool.size,
      renditions: () => [...this.works.values()].reduce((sum, { transcode }) => sum + transcode.size, 0),
    });
  }

  /** Looks at the source's key pictures while nobody makes renditions of it. */
  watch(streamId: StreamId, source: StreamTrack): () => void {
    return this.probe.watch(streamId, source);
  }

  /** Starts a worker ahead of the first viewer. */
  prewarm(): void {
    this.pool.prewarm();
  }

  /** The first of the sizes whose encoding takes at most `share` of the CPU that renditions may use; the last when none does. */
  affordable(sizes: readonly [Size, ...Size[]], fps: number, share: number): Size {
    const [first, ...smaller] = sizes;
    const isAffordable = (size: Size): boolean =>
      this.costs.encodeShare({ ...size, fps }) <= share * this.admission.capacity;
    return sizes.find(isAffordable) ?? smaller.at(-1) ?? first;
  }

  /** The workers that transcode now, for operators and tests. */
  get activeWorkers(): WorkerPool['active'] {
    return this.pool.active;
  }

  offer(source: VideoTrackConfig): { readonly renditions: readonly RenditionDescription[]; readonly reason?: string } {
    const decoder = this.chooseDecoder(source, false);
    if ('reason' in decoder) {
      return { renditions: [], reason: asSentence(decoder.reason) };
    }
    const work = this.workOf(source);
    const renditions: RenditionDescription[] = [];
    let refusal: string | null = null;
    for (const rendition of ladderFor(source, this.options.ladder)) {
      const why = work?.transcode.has(rendition.name) === true ? null : this.refusal(rendition, source, work);
      if (why === null) {
        renditions.push(rendition);
      } else {
        refusal ??= why;
      }
    }
    return refusal === null ? { renditions } : { renditions, reason: asSentence(refusal) };
  }

  start(
    streamId: StreamId,
    source: StreamTrack,
    rendition: RenditionDescription,
    sink: RenditionSink,
  ): RunningRendition {
    const config = source.config;
    if (config?.kind !== 'video') {
      sink.fail('The source has no picture yet.');
      return STOPPED;
    }
    const known = this.works.get(source) ?? null;
    const refusal = this.refusal(rendition, config, known);
    if (refusal !== null) {
      this.metrics.refused.inc();
      sink.fail(asSentence(refusal));
      return STOPPED;
    }
    const work = known ?? this.createWork(streamId, source, config);
    work.descriptions.set(rendition.name, rendition);
    this.refreshShares();
    work.transcode.add(rendition, sink);
    let isActive = true;
    return {
      requestKeyframe: () => {
        if (isActive) {
          work.transcode.requestKeyframe(rendition.name);
        }
      },
      stop: () => {
        if (isActive) {
          isActive = false;
          this.stopRendition(work, rendition.name);
        }
      },
    };
  }

  /** Ends all work and every worker. */
  async close(): Promise<void> {
    for (const work of this.works.values()) {
      work.transcode.stop();
      this.admission.remove(work.running);
    }
    this.works.clear();
    this.probe.close();
    await this.pool.close();
  }

  private createWork(streamId: StreamId, source: StreamTrack, config: VideoTrackConfig): Work {
    const { logger, reporter } = this.options;
    const running: RunningSource = { decode: this.decodeShare(config), renditions: new Map() };
    const tellDrops = this.dropTeller(streamId);
    const transcode = new SourceTranscode(source, {
      pool: this.pool,
      chooseDecoder: (current, isOursRefused) => this.chooseDecoder(current, isOursRefused),
      onCost: (work, size, ms) => {
        this.costs.observe(work, size, ms);
      },
      onPicture: (picture) => {
        this.reportPicture(streamId, picture);
      },
      onDropped: (reason, count) => {
        this.metrics.dropped.inc({ reason }, count);
        tellDrops(reason, count);
      },
      onRestart: (why) => {
        this.metrics.restarts.inc();
        logger.warn({ stream: streamId, why }, 'a transcode starts again');
        reporter.report({
          type: 'worker-restarted',
          topic: 'session',
          stream: streamId,
          ts: Date.now(),
          session: '',
          reason: why,
        });
      },
      onFailed: () => {
        this.forget(work);
      },
    });
    const work: Work = { transcode, source, running, descriptions: new Map() };
    this.works.set(source, work);
    this.admission.add(running);
    return work;
  }

  private reportPicture(stream: StreamId, { arrivalTime, ...facts }: MeasuredPicture): void {
    const ts = Math.round(arrivalTime / 1000);
    this.options.reporter.report({ type: 'picture', topic: 'ingest', stream, ts, ...facts });
  }

  /** Collects what was left out, so that a flood of drops is a few events. */
  private dropTeller(stream: StreamId): (reason: 'late' | 'queue' | 'decoder', count: number) => void {
    let drops = { late: 0, queue: 0, decoder: 0 };
    let timer: NodeJS.Timeout | null = null;
    return (reason, count) => {
      drops[reason] += count;
      if (timer === null && count > 0) {
        timer = setTimeout(() => {
          timer = null;
          this.options.reporter.report({ type: 'transcode-drops', topic: 'ingest', stream, ts: Date.now(), ...drops });
          drops = { late: 0, queue: 0, decoder: 0 };
        }, DROPS_TOLD_MS);
        timer.unref();
      }
    };
  }

  private stopRendition(work: Work, name: string): void {
    work.transcode.remove(name);
    work.descriptions.delete(name);
    work.running.renditions.delete(name);
    if (work.transcode.size === 0) {
      work.transcode.stop();
      this.forget(work);
    }
  }

  private forget(work: Work): void {
    if (this.works.get(work.source) === work) {
      this.works.delete(work.source);
      this.admission.remove(work.running);
    }
  }

  private workOf(config: VideoTrackConfig): Work | null {
    for (const work of this.works.values()) {
      if (work.source.config === config) {
        return work;
      }
    }
    return null;
  }

  private refusal(rendition: RenditionDescription, config: VideoTrackConfig, work: Work | null): string | null {
    this.refreshShares();
    const { running } = work ?? {};
    return this.admission.refusal(
      rendition.name,
      this.costs.encodeShare(rendition),
      this.decodeShare(config),
      running ?? null,
    );
  }

  /** What runs costs what is measured now, not what was guessed when it started. */
  private refreshShares(): void {
    for (const { running, descriptions, source } of this.works.values()) {
      running.decode = source.config?.kind === 'video' ? this.decodeShare(source.config) : running.decode;
      for (const [name, rendition] of descriptions) {
        running.renditions.set(name, this.costs.encodeShare(rendition));
      }
    }
  }

  private decodeShare(config: VideoTrackConfig): number {
    return config.codec === RAW_CODEC ? 0 : this.costs.decodeShare(config, config.fps ?? ASSUMED_FPS);
  }

  /** Ours where it can, else ffmpeg where it is, else the reason why there is none. */
  private chooseDecoder(config: VideoTrackConfig, isOursRefused: boolean): DecoderChoice | { readonly reason: string } {
    if (config.codec === RAW_CODEC) {
      return { kind: 'raw' };
    }
    const { isH264, missingInOurs, reorderDepth } = inspectSource(config);
    if (isH264 && missingInOurs === null && !isOursRefused) {
      return { kind: 'tessera' };
    }
    if (ffmpegFourcc(config.codec) === null) {
      return { reason: `renditions cannot be made of ${config.codec}` };
    }
    const binary = locateFfmpeg();
    if (binary !== null) {
      return { kind: 'ffmpeg', binary, reorderDepth };
    }
    const what = isH264 ? `${config.codec} with ${missingInOurs ?? 'the tools used here'}` : config.codec;
    return { reason: `renditions of ${what} need ffmpeg, and ${FFMPEG_MISSING}` };
  }
}
