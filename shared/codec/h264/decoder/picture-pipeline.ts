// Pictures that are decoded out of step with their access units, by this thread and a second one, so that both always have work. The second
// thread has up to two pictures to do; while it does them, the picture between is done here, as soon as one after it is in the thread's
// hands. Whoever comes to rows that are not final yet waits for them. Pictures are completed (concealed, filtered to the end) and output
// here, in decoding order. Owned by picture-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { Picture } from '../dpb/picture.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { finalLumaRows, PROGRESS_COMPLETE, rowsToSleepFor } from '../threads/picture-progress.ts';
import { ROW_JOB } from '../threads/picture-rows.ts';
import type { NalPlace, PictureEvents } from './picture-events.ts';
import { PictureLane } from './picture-lane.ts';
import type { PictureThread } from './picture-thread.ts';
import type { Sequence } from './sequence.ts';
import type { SliceRowDecoder } from './slice-rows.ts';

/** Pictures that the second thread has to do when another one is added. */
const MAX_BACKLOG = 1;

/** A picture from its first slice until it is complete. */
export type PictureUnderWay = {
  readonly picture: Picture;
  readonly lane: PictureLane;
  readonly rows: SliceRowDecoder;
  /** Done in this thread. */
  readonly isOwn: boolean;
  /** Slices that are prepared and whose results are not taken yet. */
  readonly slices: { readonly job: Pointer; readonly place: NalPlace }[];
  /** Own slices of them that have run. */
  run: number;
  /** Pictures that its slices refer to, the picture itself included: their stores must not be used again. */
  readonly used: Set<Picture>;
  place: NalPlace;
  /** What is left to do when its last slice is done; null: more slices may come. */
  whenDone: ((place: NalPlace) => void) | null;
};

export class PicturePipeline {
  private readonly sequence: Sequence;
  private readonly thread: PictureThread;
  private readonly events: PictureEvents;
  private readonly cells: Int32Array;
  private readonly freeLanes: PictureLane[];
  /** Pictures under way, in decoding order. */
  private readonly underWay: PictureUnderWay[] = [];
  /** The one of them that this thread has not begun. */
  private postponed: PictureUnderWay | null = null;
  /** The oldest picture is being completed: no other may be. */
  private isCompleting = false;
  /** Frames that are due, in output order; the first is under way. */
  private readonly due: Picture[] = [];

  constructor(sequence: Sequence, thread: PictureThread, events: PictureEvents) {
    const { pipelineStates, sliceKernels } = sequence;
    this.sequence = sequence;
    this.thread = thread;
    this.events = events;
    this.freeLanes = pipelineStates.map((state) => new PictureLane(state, sliceKernels));
    this.cells = new Int32Array(sequence.memory.memory.buffer);
    sequence.awaitRows = (cell, rows) => this.awaitRows(cell, rows);
  }

  /** Gives a frame out now, or when those before it are complete. */
  readonly output = (picture: Picture): void => {
    picture.users++;
    this.due.push(picture);
    this.outputComplete();
  };

  /** Begins a picture of frame macroblocks; null when the second thread is not there (yet): then all pictures before are complete. */
  startPicture(picture: Picture): PictureUnderWay | null {
    if (!this.thread.isReady) {
      this.completeAll();
      return null;
    }
    this.completeDone();
    if (this.postponed !== null && this.backlog > MAX_BACKLOG) {
      this.runPostponed();
    }
    const lane = this.takeLane();
    if (lane === null) {
      return null;
    }
    const { rows } = lane.sliceData;
    if (rows === null) {
      throw new TypeError('A second thread needs the slice kernel.');
    }
    const isOwn = this.postponed === null && this.backlog > 0;
    const place = this.events.place?.() ?? { accessUnit: 0, nal: 0 };
    const entry = { picture, lane, rows, isOwn, slices: [], run: 0, used: new Set<Picture>(), place, whenDone: null };
    this.underWay.push(entry);
    if (isOwn) {
      this.postponed = entry;
    }
    picture.isUnderWay = true;
    this.say(picture, 0);
    this.use(entry, picture);
    return entry;
  }

  /** Hands the slice of the lane's state on to whoever decodes the picture. Its bytes must fit: SliceRowDecoder.hasRoom. */
  startSlice(entry: PictureUnderWay, first: number, cabacTable: number, SliceQPY: number): void {
    const { rows, lane, picture } = entry;
    const s = lane.state;
    for (let i = 0; i < s.numRef0 + s.numRef1; i++) {
      const reference = s.refPictures[i < s.numRef0 ? i : 64 + i - s.numRef0];
      if (reference !== null) {
        this.use(entry, reference);
      }
    }
    if (s.colocated !== null) {
      this.use(entry, s.colocated.picture);
    }
    entry.place = this.events.place?.() ?? entry.place;
    const job = rows.prepare(first, cabacTable, SliceQPY);
    entry.slices.push({ job, place: entry.place });
    if (!entry.isOwn) {
      this.thread.start(job, this.cellOf(picture), s.FrameHeightInMbs);
    }
  }

  /** Decodes or waits for the slices so far of the picture that was begun last, so that its lane is free for more. */
  makeRoom(entry: PictureUnderWay): void {
    if (entry !== this.postponed) {
      // the second thread may wait for it
      this.runPostponed();
    }
    this.finishSlices(entry);
  }

  /** No more slices come for the picture; `whenDone` is called when the last one is done. */
  seal(entry: PictureUnderWay, whenDone: (place: NalPlace) => void): void {
    entry.whenDone = whenDone;
    if (!entry.isOwn) {
      this.runPostponed();
    }
  }

  /** Completes the oldest picture. False when none is under way. */
  completeOldest(): boolean {
    const oldest = this.underWay[0];
    if (oldest === undefined || oldest.whenDone === null) {
      return false;
    }
    this.completeFirst();
    return true;
  }

  /** Completes all pictures to which no slices come any more, and outputs what is due. */
  completeAll(): void {
    while (this.completeOldest());
  }

  /** Nothing of what is under way is wanted any more. */
  abandon(): void {
    this.thread.abandon();
  }

  /** What is in the picture's store is complete. */
  markComplete(picture: Picture): void {
    this.say(picture, PROGRESS_COMPLETE);
  }

  /** Pictures that the second thread has not finished. */
  private get backlog(): number {
    return this.underWay.reduce((count, entry) => count + (entry.isOwn || this.isDone(entry) ? 0 : 1), 0);
  }

  private isDone({ isOwn, slices, run, whenDone }: PictureUnderWay): boolean {
    if (isOwn) {
      return run === slices.length && whenDone !== null;
    }
    const last = slices.at(-1);
    return whenDone !== null && (last === undefined || this.thread.isDone(last.job));
  }

  /** Takes the results of the picture's slices; waits for them, or decodes them now. */
  private finishSlices(entry: PictureUnderWay): void {
    const { rows, slices, lane } = entry;
    if (entry.isOwn) {
      this.runSlices(entry);
    } else {
      const last = slices.at(-1);
      if (last !== undefined) {
        this.thread.waitUntil(last.job + 4 * ROW_JOB.state, () => {
          this.completeDone();
          return this.thread.isDone(last.job);
        });
      }
    }
    for (const { job, place } of slices) {
      try {
        rows.takeResults(job);
      } catch (error) {
        if (!(error instanceof BitstreamError)) {
          throw error;
        }
        lane.clearCoefficients();
        this.events.error(error.code, error.bitOffset, place);
      }
    }
    slices.length = 0;
    entry.run = 0;
    rows.clear();
  }

  private takeLane(): PictureLane | null {
    while (this.freeLanes.length === 0 && this.completeOldest());
    return this.freeLanes.pop() ?? null;
  }

  private runPostponed(): void {
    const { postponed } = this;
    if (postponed !== null) {
      this.runSlices(postponed);
      this.postponed = null;
      this.completeDone();
    }
  }

  /** Decodes the prepared slices of an own picture. */
  private runSlices(entry: PictureUnderWay): void {
    const { rows, slices, picture, lane } = entry;
    for (; entry.run < slices.length; entry.run++) {
      const { job } = slices[entry.run];
      rows.run(job, (filteredRows) => {
        if (filteredRows < lane.state.FrameHeightInMbs) {
          this.say(picture, finalLumaRows(filteredRows));
        }
      });
      if (rows.isPictureFinal(job)) {
        this.say(picture, PROGRESS_COMPLETE);
      }
    }
  }

  /** Completes the pictures that are done, up to the first one that is not. */
  private completeDone(): void {
    while (!this.isCompleting && this.underWay.length > 0 && this.isDone(this.underWay[0])) {
      this.completeFirst();
    }
  }

  private completeFirst(): void {
    const [entry] = this.underWay;
    if (entry === this.postponed) {
      this.postponed = null;
    }
    this.isCompleting = true;
    try {
      this.finishSlices(entry);
      entry.whenDone?.(entry.place);
    } finally {
      this.isCompleting = false;
    }
    this.underWay.shift();
    const { picture, used, lane } = entry;
    picture.isUnderWay = false;
    this.say(picture, PROGRESS_COMPLETE);
    for (const one of used) {
      one.users--;
    }
    this.freeLanes.push(lane);
    this.outputComplete();
  }

  /** Called by kernels of this thread, in the middle of a picture. */
  private awaitRows(cell: Pointer, wanted: number): void {
    if (Atomics.load(this.cells, cell >> 2) >= wanted) {
      return;
    }
    const enough = rowsToSleepFor(wanted, this.sequence.state.FrameHeightInMbs);
    this.thread.waitUntil(cell, () => {
      // a damaged picture is never final before it is completed
      this.completeDone();
      return Atomics.load(this.cells, cell >> 2) >= enough;
    });
  }

  private outputComplete(): void {
    while (this.due.length > 0 && !this.due[0].isUnderWay) {
      const picture = this.due[0];
      this.due.shift();
      picture.users--;
      this.events.output(picture);
    }
  }

  private use({ used }: PictureUnderWay, picture: Picture): void {
    if (!used.has(picture)) {
      used.add(picture);
      picture.users++;
    }
  }

  private cellOf(picture: Picture): Pointer {
    return this.sequence.state.progressPointer + 4 * picture.slot;
  }

  private say(picture: Picture, progress: number): void {
    const at = this.cellOf(picture) >> 2;
    Atomics.store(this.cells, at, progress);
    Atomics.notify(this.cells, at);
  }
}
