// CPU time of the calling thread, so that costs are measured the same on an idle and on an overloaded machine. Linux tells it per
// thread; elsewhere the wall clock has to do. Used in the transcode workers.

import { readFileSync } from 'node:fs';

/** Nanoseconds on a CPU, nanoseconds waiting for one, time slices. */
const SCHEDULER_STATISTICS = '/proc/thread-self/schedstat';

/** Milliseconds that the calling thread has spent on a CPU; differences count, the origin does not. */
export function threadCpuMs(): number {
  return readSchedulerMs() ?? performance.now();
}

function readSchedulerMs(): number | null {
  try {
    const onCpu = Number(readFileSync(SCHEDULER_STATISTICS, 'latin1').split(' ', 1)[0]);
    return Number.isFinite(onCpu) && onCpu > 0 ? onCpu / 1_000_000 : null;
  } catch {
    return null;
  }
}
