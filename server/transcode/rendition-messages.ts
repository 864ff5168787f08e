// What a transcode worker and the threads that encode renditions beside it say to each other. All of it goes through one MessagePort,
// in order; samples lie in a SharedArrayBuffer. Used by rendition-lane.ts and rendition-thread.ts.

import type { MessagePort } from 'node:worker_threads';
import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import type { EncodeStats, RenditionDescription } from '../streams/roles.ts';
import type { PictureOrder } from './rendition-encoder.ts';

/** A picture whose samples lie packed in shared memory. */
type SharedPicture = Pick<I420Frame, 'width' | 'height' | 'timestamp' | 'colour' | 'sampleAspect'> & {
  readonly samples: SharedArrayBuffer;
};

export type ToRenditionThread =
  | { readonly kind: 'add'; readonly rendition: RenditionDescription }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'keyframe'; readonly name: string }
  | { readonly kind: 'picture'; readonly picture: SharedPicture; readonly order: PictureOrder };

/** What came of one picture; all of it is there when the board says that the thread is idle again. */
export type FromRenditionThread =
  | { readonly kind: 'config'; readonly name: string; readonly config: VideoTrackConfig }
  | { readonly kind: 'unit'; readonly name: string; readonly unit: AccessUnit; readonly stats: EncodeStats }
  | { readonly kind: 'cost'; readonly width: number; readonly height: number; readonly ms: number }
  | { readonly kind: 'failed'; readonly sentence: string };

/** Given to the thread when it starts. */
export type RenditionThreadData = { readonly board: SharedArrayBuffer; readonly port: MessagePort };

/** Slots of the shared Int32Array. */
export const LANE_BOARD = {
  /** LANE_STATE of the thread. */
  state: 0,
  /** kernelThreadId() of the thread; 0 where it cannot be told. */
  threadId: 1,
  size: 2,
} as const;

export const LANE_STATE = { starting: 0, idle: 1, encoding: 2 } as const;
