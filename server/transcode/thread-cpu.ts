// CPU time of the calling thread, so that costs are measured the same on an idle and on an overloaded machine. Linux tells it per
// thread; elsewhere the wall clock has to do. Used in the transcode workers and by their watchdog.

import { readFileSync, readlinkSync } from 'node:fs';

/** CPU milliseconds that the calling thread has spent; differences count, the origin does not. */
export function threadCpuMs(): number {
  return schedulerMs('/proc/thread-self/schedstat') ?? performance.now();
}

/** The kernel's number of the calling thread, for cpuMsOfThread() in another one; 0 where it cannot be told. */
export function kernelThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

/** CPU milliseconds of a thread of this process, or null where that cannot be told. */
export function cpuMsOfThread(threadId: number): number | null {
  return threadId === 0 ? null : schedulerMs(`/proc/self/task/${threadId}/schedstat`);
}

/** The file holds nanoseconds on a CPU, nanoseconds waiting for one, and time slices. */
function schedulerMs(path: string): number | null {
  try {
    const onCpu = Number(readFileSync(path, 'latin1').split(' ', 1)[0]);
    return Number.isFinite(onCpu) && onCpu > 0 ? onCpu / 1_000_000 : null;
  } catch {
    return null;
  }
}
