// Holds pictures while the inspector is frozen: the one that is shown, and those that follow, so that stepping leaves none out. Bounded
// by MAX_WAITING: what comes while it is full is let go, and the next step after the last one kept goes on with the newest.

import { planesOf, type Picture } from '../media/picture.ts';

/** Pictures kept behind the frozen one: 30 of 1280x720 are 41 MB. */
const MAX_WAITING = 30;

function copyOf(picture: Picture): Picture {
  const { y, u, v } = planesOf(picture);
  const length = y.length + u.length + v.length;
  return { ...picture, buffer: picture.buffer.slice(0, length) };
}

/** Pictures of a frozen view, in order. */
export class Freezer {
  #shown: Picture | null = null;
  #waiting: Picture[] = [];

  get isFrozen(): boolean {
    return this.#shown !== null;
  }

  /** The picture that stands still. */
  get shown(): Picture | null {
    return this.#shown;
  }

  freeze(picture: Picture): void {
    this.#shown = copyOf(picture);
    this.#waiting = [];
  }

  /** A picture was painted behind the frozen one. */
  push(picture: Picture): void {
    if (this.#shown !== null && this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(copyOf(picture));
    }
  }

  /** Goes on by one picture; false when the next one has not come yet. */
  step(): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) {
      return false;
    }
    this.#shown = next;
    return true;
  }

  thaw(): void {
    this.#shown = null;
    this.#waiting = [];
  }
}
