// Which renditions the machine can afford: milliseconds per frame are measured on running renditions (and by a calibration before
// the first), turned into a share of cores, and compared with `transcode.maxCpu`. Pure; used by transcoder.ts.

import { busiestLoad } from './thread-load.ts';

/** What a worker spends on one frame. */
export type WorkKind = 'encode' | 'decode';

type Size = { readonly width: number; readonly height: number };

/** Cores (1 = one core busy all the time) for one second of video. */
export type CoreShare = number;

/** Milliseconds per million samples before anything was measured: slow enough to refuse what a slow machine cannot do. */
const UNMEASURED_MS_PER_MEGAPIXEL: Readonly<Record<WorkKind, number>> = { encode: 16, decode: 8 };
/** Weight of a new measurement: what became slower is believed slowly, what became faster (compiled code) soon. */
const SMOOTHING = { slower: 0.2, faster: 0.5 } as const;
/** A thread that is busier than this drops frames at every hiccup. */
export const MAX_THREAD_SHARE = 0.9;

/** Learns the cost of work per picture size. */
export class CostModel {
  private readonly measured: Readonly<Record<WorkKind, Map<number, number>>> = { encode: new Map(), decode: new Map() };

  /** Takes the measurement of some frames: CPU `ms` per frame of `size`. */
  observe(kind: WorkKind, size: Size, ms: number): void {
    const pixels = size.width * size.height;
    const rate = (ms * 1_000_000) / pixels;
    const before = this.measured[kind].get(pixels);
    const weight = before === undefined ? 1 : rate < before ? SMOOTHING.faster : SMOOTHING.slower;
    this.measured[kind].set(pixels, (before ?? 0) + weight * (rate - (before ?? 0)));
  }

  /** Milliseconds for one frame of `size`, by the measurement of the size nearest to it. */
  estimateMs(kind: WorkKind, size: Size): number {
    const pixels = size.width * size.height;
    let nearest = Infinity;
    let rate = UNMEASURED_MS_PER_MEGAPIXEL[kind];
    for (const [measuredPixels, measuredRate] of this.measured[kind]) {
      const distance = Math.abs(Math.log(measuredPixels / pixels));
      if (distance < nearest) {
        nearest = distance;
        rate = measuredRate;
      }
    }
    return (rate * pixels) / 1_000_000;
  }

  encodeShare(rendition: Size & { readonly fps: number }): CoreShare {
    return (this.estimateMs('encode', rendition) * rendition.fps) / 1000;
  }

  decodeShare(source: Size, fps: number): CoreShare {
    return (this.estimateMs('decode', source) * fps) / 1000;
  }
}

/** Work that is running: one per source, with its renditions. */
export type RunningSource = { decode: CoreShare; readonly renditions: Map<string, CoreShare> };

export type CpuLimits = {
  readonly cores: number;
  readonly maxCpu: number;
  /** Share of the time that a source's thread may be busy, decoding or waiting for the busiest of the threads that encode. */
  readonly maxThreadShare: number;
  /** Threads that encode the renditions of one source, the decoding one included. */
  readonly encodingThreads: number;
};

/** Sums what runs and says whether one more fits. */
export class CpuAdmission {
  private readonly limits: CpuLimits;
  private readonly running = new Set<RunningSource>();

  constructor(limits: CpuLimits) {
    this.limits = limits;
  }

  /** Cores that renditions may use. */
  get capacity(): CoreShare {
    return this.limits.cores * this.limits.maxCpu;
  }

  /** Cores that running renditions are expected to use. */
  get used(): CoreShare {
    let sum = 0;
    for (const source of this.running) {
      sum += shareOf(source);
    }
    return sum;
  }

  /** Null when `wanted` more may start on `source` (null: its decoding must start too, for `decode`), else why not. */
  refusal(name: string, wanted: CoreShare, decode: CoreShare, source: RunningSource | null): string | null {
    const needed = wanted + (source === null ? decode : 0);
    if (this.used + needed > this.capacity) {
      return (
        `${name} needs about ${cores(needed)} of a core and ${cores(this.used)} of the ${cores(this.capacity)} that ` +
        `renditions may use are taken (transcode.maxCpu ${this.limits.maxCpu} of ${this.limits.cores} cores)`
      );
    }
    const encodes = [...(source?.renditions.values() ?? []), wanted];
    const busy = (source?.decode ?? decode) + busiestLoad(encodes, this.limits.encodingThreads);
    if (busy > this.limits.maxThreadShare) {
      return (
        `${name} is too slow on this machine: with what runs, the thread of its source would be busy for about ` +
        `${cores(busy)} of the time`
      );
    }
    return null;
  }

  add(source: RunningSource): void {
    this.running.add(source);
  }

  remove(source: RunningSource): void {
    this.running.delete(source);
  }
}

function shareOf(source: RunningSource): CoreShare {
  let sum = source.decode;
  for (const share of source.renditions.values()) {
    sum += share;
  }
  return sum;
}

function cores(share: CoreShare): string {
  return share.toFixed(2);
}
