// A thread beside a transcode worker that encodes some of the renditions of its source. For each picture the worker begins the lanes,
// encodes its own renditions meanwhile, and finishes the lanes: renditions stay aligned, and never more than one picture is on its way.
// Started by transcode-worker.ts, called by rendition-team.ts.

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type I420Frame, i420ByteLength, type Plane } from '../../shared/media/frame.ts';
import type { RenditionDescription } from '../streams/roles.ts';
import { workerEntry } from '../platform/worker-entry.ts';
import type { PictureOrder } from './rendition-encoder.ts';
import {
  type FromRenditionThread,
  LANE_BOARD,
  LANE_STATE,
  type RenditionThreadData,
  type ToRenditionThread,
} from './rendition-messages.ts';
import { cpuMsOfThread } from './thread-cpu.ts';
import { CODEC_THREAD_LIMITS } from './worker-messages.ts';

/** What came of a picture, in the order in which it was made. */
export type LaneListener = (message: Exclude<FromRenditionThread, { kind: 'failed' }>) => void;

/** The lane as the pipeline sees it; unit tests put a fake in its place. */
export interface RenditionLane {
  /** Whether it can take renditions; never false again after it was true. */
  readonly isReady: boolean;
  add(rendition: RenditionDescription): void;
  remove(name: string): void;
  requestKeyframe(name: string): void;
  /** Starts encoding the picture, which is copied, in each of the lane's renditions. finish() must follow. */
  begin(frame: I420Frame, order: PictureOrder): void;
  /** Waits until the picture is encoded. Throws when encoding threw, or when the thread is gone. */
  finish(listener: LaneListener): void;
}

/** How often a waiting worker looks whether the lane's thread still exists. */
const LIFE_CHECK_MS = 200;
/** A lane that encodes one picture for longer than this hangs, even on a machine that gives it little time. */
const FINISH_PATIENCE_MS = 60_000;

/** A lane that is a worker thread. It ends with the thread that started it. */
export class ThreadLane implements RenditionLane {
  /** Resolves when the thread can take renditions, or is gone. To come up it needs its starter's event loop: do not block for it. */
  readonly started: Promise<void>;
  private readonly board = new Int32Array(new SharedArrayBuffer(LANE_BOARD.size * Int32Array.BYTES_PER_ELEMENT));
  private readonly port: MessagePort;
  private samples = new SharedArrayBuffer(0);

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const entry = workerEntry(import.meta.url, './rendition-thread');
    const data: RenditionThreadData = { board: this.board.buffer, port: port2 };
    const thread = new Worker(entry.script, {
      name: 'tessera-rendition',
      workerData: { ...data, ...entry.data },
      transferList: [port2],
      resourceLimits: CODEC_THREAD_LIMITS,
    });
    this.started = new Promise((resolve) => {
      thread.once('message', () => {
        thread.unref(); // from here on it keeps nobody alive
        resolve();
      });
      thread.once('exit', () => {
        resolve();
      });
      // Its end is noticed by who waits for a picture; without a listener it would be an uncaught error here.
      thread.on('error', () => {
        resolve();
      });
    });
  }

  get isReady(): boolean {
    return Atomics.load(this.board, LANE_BOARD.state) !== LANE_STATE.starting;
  }

  add(rendition: RenditionDescription): void {
    this.post({ kind: 'add', rendition });
  }

  remove(name: string): void {
    this.post({ kind: 'remove', name });
  }

  requestKeyframe(name: string): void {
    this.post({ kind: 'keyframe', name });
  }

  begin(frame: I420Frame, order: PictureOrder): void {
    const { width, height, timestamp, colour, sampleAspect } = frame;
    const samples = this.copy(frame);
    Atomics.store(this.board, LANE_BOARD.state, LANE_STATE.encoding);
    this.post({ kind: 'picture', picture: { width, height, timestamp, colour, sampleAspect, samples }, order });
  }

  finish(listener: LaneListener): void {
    this.waitUntilIdle();
    for (let next = receiveMessageOnPort(this.port); next !== undefined; next = receiveMessageOnPort(this.port)) {
      const message = next.message as FromRenditionThread;
      if (message.kind === 'failed') {
        throw new Error(message.sentence);
      }
      listener(message);
    }
  }

  private post(message: ToRenditionThread): void {
    this.port.postMessage(message);
  }

  private waitUntilIdle(): void {
    for (let waitedMs = 0; waitedMs < FINISH_PATIENCE_MS; waitedMs += LIFE_CHECK_MS) {
      const outcome = Atomics.wait(this.board, LANE_BOARD.state, LANE_STATE.encoding, LIFE_CHECK_MS);
      if (outcome !== 'timed-out' || Atomics.load(this.board, LANE_BOARD.state) !== LANE_STATE.encoding) {
        return;
      }
      const threadId = Atomics.load(this.board, LANE_BOARD.threadId);
      if (threadId !== 0 && cpuMsOfThread(threadId) === null) {
        throw new Error('the thread that encodes a rendition ended');
      }
    }
    throw new Error(`encoding one picture took more than ${FINISH_PATIENCE_MS} ms`);
  }

  /** The planes, packed, in memory that the thread sees. The thread is idle: nobody reads the picture before any more. */
  private copy(frame: I420Frame): SharedArrayBuffer {
    const length = i420ByteLength(frame.width, frame.height);
    if (this.samples.byteLength !== length) {
      this.samples = new SharedArrayBuffer(length);
    }
    const bytes = new Uint8Array(this.samples);
    let at = 0;
    for (const plane of [frame.y, frame.u, frame.v]) {
      at = copyPlane(plane, bytes, at);
    }
    return this.samples;
  }
}

/** Returns where the next plane goes. */
function copyPlane({ data, stride, width, height }: Plane, to: Uint8Array, at: number): number {
  if (stride === width) {
    to.set(data.subarray(0, width * height), at);
  } else {
    for (let y = 0; y < height; y++) {
      to.set(data.subarray(y * stride, y * stride + width), at + y * width);
    }
  }
  return at + width * height;
}
