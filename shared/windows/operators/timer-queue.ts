// A binary heap of timers: the order in which windows close. Ordered by time, then key, then start of the window; Kafka's session
// store goes by time, start and key.

/** Something is due for the window `start` of `key` once the clock reaches `time`. */
export type Timer = { readonly time: number; readonly key: string; readonly start: number };

/** Which of two timers of the same time comes first. */
export type TieBreak = (a: Timer, b: Timer) => boolean;

const byKeyThenStart: TieBreak = (a, b) => (a.key !== b.key ? a.key < b.key : a.start < b.start);
export const byStartThenKey: TieBreak = (a, b) => (a.start !== b.start ? a.start < b.start : a.key < b.key);

export class TimerQueue {
  private readonly heap: Timer[] = [];
  private readonly comesFirst: TieBreak;

  constructor(comesFirst: TieBreak = byKeyThenStart) {
    this.comesFirst = comesFirst;
  }

  get size(): number {
    return this.heap.length;
  }

  /** Time of the next timer; Infinity without any. */
  get nextTime(): number {
    return this.heap.length > 0 ? this.heap[0].time : Infinity;
  }

  add(timer: Timer): void {
    const heap = this.heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(timer, heap[parent])) {
        break;
      }
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  /** Takes the next timer that is due at `time`; null when none is. */
  take(time: number): Timer | null {
    const heap = this.heap;
    if (heap.length === 0 || heap[0].time > time) {
      return null;
    }
    const first = heap[0];
    const last = heap.pop() as Timer;
    if (heap.length > 0) {
      this.sink(last);
    }
    return first;
  }

  private isBefore(a: Timer, b: Timer): boolean {
    return a.time !== b.time ? a.time < b.time : this.comesFirst(a, b);
  }

  private sink(timer: Timer): void {
    const heap = this.heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) {
        break;
      }
      if (child + 1 < heap.length && this.isBefore(heap[child + 1], heap[child])) {
        child++;
      }
      if (!this.isBefore(heap[child], timer)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = timer;
  }

  clear(): void {
    this.heap.length = 0;
  }
}
