// Where Kafka Streams, Flink and Beam differ, as numbers: how long after a window's end it fires, stops taking records and is
// forgotten, and when two sessions are one. `end` is the window's own end, inclusive for sliding windows and Kafka's sessions.

import type { Semantics, WindowSpec } from './window.ts';

/** Distances from a window's end to the clock times at which things happen to it, ms. */
export type WindowRules = {
  readonly semantics: Semantics;
  /** The result is emitted once the clock reaches end + this. */
  readonly firesAfter: number;
  /** Records for the window are late once the clock reaches end + this. */
  readonly lateAfter: number;
  /** The state is dropped once the clock reaches end + this. */
  readonly forgetsAfter: number;
  /** Windows that would start before 0 do not exist (Kafka). */
  readonly clipsAtZero: boolean;
  /** Results carry the newest record's time (Kafka) or the window's last millisecond. */
  readonly stampsNewestRecord: boolean;
};

/** The rules of one window kind. `grace` is Kafka's, `lateness` Flink's and Beam's; both ms. */
export function windowRules(
  spec: WindowSpec,
  semantics: Semantics,
  waits: { grace: number; lateness: number },
): WindowRules {
  const { grace, lateness } = waits;
  const common = { semantics, clipsAtZero: semantics === 'kafka', stampsNewestRecord: semantics === 'kafka' };
  if (semantics === 'flink') {
    return { ...common, firesAfter: -1, lateAfter: lateness - 1, forgetsAfter: lateness - 1 };
  }
  if (semantics === 'beam') {
    return { ...common, firesAfter: 0, lateAfter: lateness, forgetsAfter: lateness };
  }
  if (spec.kind === 'sliding') {
    // A record still takes part as long as its right window is open, and looks back two sizes for its neighbours.
    return { ...common, firesAfter: grace + 1, lateAfter: grace + 1, forgetsAfter: grace + 2 * spec.size + 2 };
  }
  if (spec.kind === 'session') {
    // A closed session can still be extended by a record within the gap that is not late itself.
    const closes = grace + spec.gap + 1;
    return { ...common, firesAfter: closes, lateAfter: closes, forgetsAfter: closes + spec.gap };
  }
  return { ...common, firesAfter: grace, lateAfter: grace, forgetsAfter: grace };
}

/** Whether sessions whose nearest records lie `distance` ms apart are one: Beam alone keeps exactly one gap apart. */
export function isSameSession(semantics: Semantics, distance: number, gap: number): boolean {
  return semantics === 'beam' ? distance < gap : distance <= gap;
}
