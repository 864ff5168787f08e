// What the main thread and a transcode worker say to each other, and the board of integers that both see. Buffers in messages are
// transferred, never shared. Used by worker-pool.ts, source-transcode.ts and transcode-worker.ts.

import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { Microseconds } from '../../shared/media/time.ts';
import type { PictureFacts } from '../../shared/pixels/picture-meter.ts';
import type { EncodeStats, RenditionDescription } from '../streams/roles.ts';

/** Which decoder opens the source. */
export type DecoderChoice =
  | { readonly kind: 'raw' }
  | { readonly kind: 'tessera' }
  | { readonly kind: 'ffmpeg'; readonly binary: string; readonly reorderDepth: number };

export type SourceStart = {
  readonly config: VideoTrackConfig;
  readonly decoder: DecoderChoice;
};

/** What was seen in one picture of a source. */
export type MeasuredPicture = PictureFacts & {
  /** Time of the stream since the picture looked at before, ms; null where there was none. */
  readonly sinceMs: number | null;
  /** Arrival of its access unit. */
  readonly arrivalTime: Microseconds;
};

/** A key unit of a stream that nobody transcodes, to be decoded for its looks (key-picture-decoder.ts). */
export type KeyPicture = {
  readonly stream: string;
  readonly config: VideoTrackConfig;
  readonly unit: AccessUnit;
  /** Units right behind it: how much has moved is then measured over them, too. */
  readonly following: readonly AccessUnit[];
};

export type ToWorker =
  | ({ readonly kind: 'key-picture' } & KeyPicture)
  | { readonly kind: 'source'; readonly source: SourceStart }
  | {
      readonly kind: 'unit';
      readonly unit: AccessUnit;
      readonly isCatchUp: boolean;
      readonly queuedAt: number;
      /** Index that grows by one with each unit queued for this worker; compared with the board's newest. */
      readonly index: number;
    }
  | { readonly kind: 'add-rendition'; readonly rendition: RenditionDescription }
  | { readonly kind: 'remove-rendition'; readonly name: string }
  | { readonly kind: 'keyframe'; readonly name: string }
  /** Ends the source, its renditions and its child; the worker is then free for another. */
  | { readonly kind: 'reset' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly calibration: Calibration }
  /** One unit was dealt with; the next may be sent. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'config'; readonly name: string; readonly config: VideoTrackConfig }
  | {
      readonly kind: 'unit';
      readonly name: string;
      readonly unit: AccessUnit;
      readonly stats: EncodeStats;
    }
  | { readonly kind: 'picture'; readonly picture: MeasuredPicture }
  /** A key picture was dealt with, in so much CPU time; `picture` is null when none came out. */
  | {
      readonly kind: 'key-picture';
      readonly stream: string;
      readonly picture: MeasuredPicture | null;
      readonly cpuMs: number;
    }
  | { readonly kind: 'dropped'; readonly reason: 'late' | 'decoder'; readonly count: number }
  /** CPU milliseconds per frame: the median of the last second or so. */
  | {
      readonly kind: 'cost';
      readonly work: 'encode' | 'decode';
      readonly width: number;
      readonly height: number;
      readonly ms: number;
    }
  /** Our decoder does not take this bitstream. */
  | { readonly kind: 'unsupported'; readonly sentence: string }
  /** The decoder is gone (an ffmpeg child died); units are refused until the next `source`. */
  | { readonly kind: 'decoder-died'; readonly sentence: string }
  | { readonly kind: 'reset-done' };

/** Encoding time of a small synthetic picture, measured when the worker starts: the first guess of the cost model. */
export type Calibration = { readonly width: number; readonly height: number; readonly encodeMs: number };

/** Slots of the shared Int32Array. */
export const BOARD = {
  /** PHASE of the worker. */
  phase: 0,
  /** When the phase began: sharedNow() modulo 2^30, whole milliseconds. */
  since: 1,
  /** Index of the newest unit that is on its way. */
  newest: 2,
  /** kernelThreadId() of the worker. */
  threadId: 3,
  /** threadCpuMs() when the phase began, modulo 2^30, whole milliseconds. */
  sinceCpu: 4,
  size: 5,
} as const;

/** Heap of a thread that decodes or encodes. Generous for 4096x4096 pictures in WASM memories, which do not count as heap. */
export const CODEC_THREAD_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 } as const;

export const PHASE = { idle: 0, decoding: 1, encoding: 2 } as const;

/** Milliseconds on a clock that is the same in every thread of the process. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}

const BOARD_CLOCK_MODULUS = 2 ** 30;

/** The shared clock as it is written on the board. */
export function boardTime(now: number): number {
  return Math.floor(now) % BOARD_CLOCK_MODULUS;
}

/** Milliseconds from a board time to `now`. */
export function sinceBoardTime(since: number, now: number): number {
  return (boardTime(now) - since + BOARD_CLOCK_MODULUS) % BOARD_CLOCK_MODULUS;
}
