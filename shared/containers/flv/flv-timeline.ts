// FLV and RTMP timestamps (32 bits of milliseconds that wrap, and that some publishers restart) on one endless timeline.
// Used by the demuxer; one timeline serves both tracks of a stream, so audio and video stay together.

import type { Microseconds } from '../../media/time.ts';

/** A step back by more than this is a restarted clock, not reordering between audio and video. */
const LARGEST_STEP_BACK_MS = 10_000;
/** Where a restarted clock goes on: one frame of 25 fps after the newest time. */
const RESTART_GAP_MS = 40;

/** Unwraps timestamps in the order in which the tags came. */
export class FlvTimeline {
  #newest: number | null = null;
  #offset = 0;

  /** Microseconds since the publisher's zero, growing over wraps and restarts. Small steps back are kept. */
  toMicroseconds(timestamp: number): Microseconds {
    if (this.#newest === null) {
      this.#newest = timestamp;
      return (timestamp * 1000) as Microseconds;
    }
    // The difference modulo 2^32, taken as signed: a wrap is a small step forward.
    let time = this.#newest + ((timestamp + this.#offset - this.#newest) | 0);
    if (time < this.#newest - LARGEST_STEP_BACK_MS) {
      this.#offset += this.#newest + RESTART_GAP_MS - time;
      time = this.#newest + RESTART_GAP_MS;
    }
    this.#newest = Math.max(this.#newest, time);
    return (time * 1000) as Microseconds;
  }
}
