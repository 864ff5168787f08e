// The pictures that a second thread decodes: which one is under way, who waits for it, and output in order while it is. While the thread
// decodes a picture the caller goes on with the next one, whose kernels wait for the rows that they refer to. The thread itself never waits:
// it gets a picture only when all pictures before are complete. Owned by picture-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { Picture } from '../dpb/picture.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { PROGRESS_COMPLETE } from '../threads/decoder-thread.ts';
import type { NalPlace, PictureEvents } from './picture-events.ts';
import { PictureLane } from './picture-lane.ts';
import type { PictureThread } from './picture-thread.ts';
import type { Sequence } from './sequence.ts';
import type { SliceRowDecoder } from './slice-rows.ts';

export class SecondLane {
  readonly lane: PictureLane;
  private readonly rows: SliceRowDecoder;
  private readonly sequence: Sequence;
  private readonly thread: PictureThread;
  private readonly events: PictureEvents;
  private readonly cells: Int32Array;
  /** The picture of the lane, from its first slice until it is complete. */
  private picture: Picture | null = null;
  /** What is left to do when its last slice is done; null: more slices may come. */
  private whenDone: ((place: NalPlace) => void) | null = null;
  private isSliceRunning = false;
  private place: NalPlace = { accessUnit: 0, nal: 0 };
  /** Pictures that its slices refer to, the picture itself included. */
  private readonly used: Picture[] = [];
  /** Frames that are due, in output order; the first is the one under way. */
  private readonly due: Picture[] = [];

  constructor(sequence: Sequence, thread: PictureThread, events: PictureEvents) {
    const { secondState, sliceKernels } = sequence;
    if (secondState === null || sliceKernels === null) {
      throw new TypeError('The sequence was not made for a second thread.');
    }
    this.sequence = sequence;
    this.thread = thread;
    this.events = events;
    this.lane = new PictureLane(secondState, sliceKernels);
    const { rows } = this.lane.sliceData;
    if (rows === null) {
      throw new TypeError('A second thread needs the slice kernel.');
    }
    this.rows = rows;
    this.cells = new Int32Array(sequence.memory.memory.buffer);
    sequence.awaitRows = (cell, wanted) => this.awaitRows(cell, wanted);
    sequence.state.awaitRows = sequence.awaitRows;
  }

  /** Gives a frame out now, or when those before it are complete. */
  readonly output = (picture: Picture): void => {
    picture.users++;
    this.due.push(picture);
    this.outputComplete();
  };

  /** Whether the thread can take the next picture now. */
  takeNext(): boolean {
    if (!this.thread.isReady) {
      return false;
    }
    if (this.picture !== null) {
      if (!this.thread.isDone(this.rows.job)) {
        return false;
      }
      this.complete();
    }
    return true;
  }

  /** A picture begins in `lane`. */
  startPicture(picture: Picture, lane: PictureLane): void {
    if (lane !== this.lane) {
      this.say(picture, PROGRESS_COMPLETE);
      return;
    }
    this.say(picture, 0);
    this.picture = picture;
    picture.isUnderWay = true;
    this.use(picture);
  }

  /** Hands the slice of the lane's state to the thread. */
  startSlice(first: number, cabacTable: number, SliceQPY: number): void {
    const { rows, lane, picture } = this;
    if (picture === null) {
      return;
    }
    const s = lane.state;
    for (let i = 0; i < s.numRef0 + s.numRef1; i++) {
      const reference = s.refPictures[i < s.numRef0 ? i : 64 + i - s.numRef0];
      if (reference !== null) {
        this.use(reference);
      }
    }
    if (s.colocated !== null) {
      this.use(s.colocated.picture);
    }
    rows.prepare(first, cabacTable, SliceQPY);
    this.place = this.events.place?.() ?? this.place;
    this.isSliceRunning = true;
    this.thread.start(rows.job, this.cellOf(picture), s.FrameHeightInMbs);
  }

  /** Waits for the slice that runs, if one does, and takes its results. */
  finishSlice(): void {
    if (!this.isSliceRunning) {
      return;
    }
    this.isSliceRunning = false;
    this.thread.waitForJob(this.rows.job);
    try {
      this.rows.finish();
    } catch (error) {
      if (!(error instanceof BitstreamError)) {
        throw error;
      }
      this.lane.clearCoefficients();
      this.events.error(error.code, error.bitOffset, this.place);
    }
  }

  /** No more slices come for the lane's picture; `whenDone` is called when the last one is done. */
  seal(whenDone: (place: NalPlace) => void): void {
    this.whenDone = whenDone;
  }

  /** Waits for the picture under way, and outputs what is due. False when there was none. */
  complete(): boolean {
    const isOne = this.completePicture();
    this.outputComplete();
    return isOne;
  }

  private completePicture(): boolean {
    const { picture, whenDone } = this;
    if (picture === null || whenDone === null) {
      return false;
    }
    this.finishSlice();
    this.whenDone = null;
    whenDone(this.place);
    this.picture = null;
    picture.isUnderWay = false;
    this.say(picture, PROGRESS_COMPLETE);
    for (const one of this.used) {
      one.users--;
    }
    this.used.length = 0;
    return true;
  }

  /** Called by kernels of the caller's thread, in the middle of a picture. */
  private awaitRows(cell: Pointer, wanted: number): void {
    const { picture, rows, thread } = this;
    if (picture === null || Atomics.load(this.cells, cell >> 2) >= wanted) {
      return;
    }
    thread.waitForRows(cell, wanted, rows.job);
    if (Atomics.load(this.cells, cell >> 2) < wanted) {
      // The job ended before: the picture is damaged, or its rows wait for the filter.
      this.completePicture();
    }
  }

  private outputComplete(): void {
    while (this.due.length > 0 && !this.due[0].isUnderWay) {
      const picture = this.due[0];
      this.due.shift();
      picture.users--;
      this.events.output(picture);
    }
  }

  private use(picture: Picture): void {
    if (!this.used.includes(picture)) {
      this.used.push(picture);
      picture.users++;
    }
  }

  private cellOf(picture: Picture): Pointer {
    return this.sequence.state.progressPointer + 4 * picture.slot;
  }

  private say(picture: Picture, progress: number): void {
    Atomics.store(this.cells, this.cellOf(picture) >> 2, progress);
  }
}
