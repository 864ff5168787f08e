// How renditions are spread over the threads of a source: each new one goes where there is least to do, and stays. The same rule puts
// them (rendition-team.ts) and foresees how busy the threads will be (cpu-admission.ts). Pure.

/** Index of the smallest load, the first of equals. */
export function leastLoaded(loads: readonly number[]): number {
  return loads.reduce((best, load, i) => (load < (loads[best] ?? Infinity) ? i : best), 0);
}

/** Load of the busiest of `threads` threads after `loads` were put in this order. */
export function busiestLoad(loads: Iterable<number>, threads: number): number {
  const sums = new Array<number>(threads).fill(0);
  for (const load of loads) {
    const i = leastLoaded(sums);
    sums[i] = (sums[i] ?? 0) + load;
  }
  return Math.max(...sums);
}

/** Most threads that encode beside a transcode worker: a ladder has few rungs. */
const MAX_LANES = 2;

/** Lanes of each transcode worker on a machine of `cores` cores. */
export function lanesFor(cores: number): number {
  return Math.min(MAX_LANES, Math.max(0, cores - 1));
}
