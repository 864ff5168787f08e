// The jitter buffer: decoded pictures in PTS order until they are due. Bounded by bytes and by number: when it is full the oldest
// goes, counted by the owner. Used by the playback session.

/** What the queue needs to know of an entry. */
export type QueuedPicture = { readonly ptsUs: number; readonly buffer: ArrayBuffer };

/** Bounds of the queue. */
export type PictureQueueLimits = { readonly pictures: number; readonly bytes: number };

const DEFAULT_LIMITS: PictureQueueLimits = { pictures: 60, bytes: 160_000_000 };

/** Pictures waiting to be painted, oldest first. */
export class PictureQueue<P extends QueuedPicture> {
  readonly #limits: PictureQueueLimits;
  #pictures: P[] = [];
  #bytes = 0;

  constructor(limits: PictureQueueLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Pictures waiting. */
  get length(): number {
    return this.#pictures.length;
  }

  /** Milliseconds between the oldest and the newest waiting picture. */
  get spanMs(): number {
    const [first] = this.#pictures;
    const last = this.#pictures.at(-1);
    return first === undefined || last === undefined ? 0 : (last.ptsUs - first.ptsUs) / 1000;
  }

  /** Adds in PTS order and returns what had to go to stay within the bounds. */
  push(picture: P): P[] {
    let index = this.#pictures.length;
    while (index > 0 && (this.#pictures[index - 1]?.ptsUs ?? 0) > picture.ptsUs) {
      index -= 1;
    }
    this.#pictures.splice(index, 0, picture);
    this.#bytes += picture.buffer.byteLength;
    const evicted: P[] = [];
    while (
      this.#pictures.length > 1 &&
      (this.#pictures.length > this.#limits.pictures || this.#bytes > this.#limits.bytes)
    ) {
      evicted.push(...this.#takeFirst());
    }
    return evicted;
  }

  /**
   * Removes the picture to paint now, and before it those that are too late to be seen: all but the last that `isDue`, as far as they
   * are also `isStale`. A picture that is only a little late is painted, and the next one at the next refresh.
   */
  takeDue(
    isDue: (ptsUs: number) => boolean,
    isStale: (ptsUs: number) => boolean,
  ): { readonly stale: P[]; readonly picture: P | null } {
    const stale: P[] = [];
    const [first] = this.#pictures;
    if (first === undefined || !isDue(first.ptsUs)) {
      return { stale, picture: null };
    }
    for (let next = this.#pictures[1]; next !== undefined && isDue(next.ptsUs); next = this.#pictures[1]) {
      if (!isStale(this.#pictures[0]?.ptsUs ?? 0)) {
        break;
      }
      stale.push(...this.#takeFirst());
    }
    return { stale, picture: this.#takeFirst()[0] ?? null };
  }

  /** Empties the queue and returns what was in it. */
  clear(): P[] {
    const pictures = this.#pictures;
    this.#pictures = [];
    this.#bytes = 0;
    return pictures;
  }

  #takeFirst(): P[] {
    const first = this.#pictures.shift();
    this.#bytes -= first?.buffer.byteLength ?? 0;
    return first === undefined ? [] : [first];
  }
}
