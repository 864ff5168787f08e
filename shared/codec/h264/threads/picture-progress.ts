// How far a picture has come, as threads see it: a cell per frame store in the codec's memory holds the luma rows that will not change any
// more. Kernels and threads wait until the rows that they refer to are final.

const { max } = Math;

/** Progress of a picture that is complete. */
export const PROGRESS_COMPLETE = 0x7fffffff;

/** A filtered macroblock row still changes in its last three luma rows, when the row below is filtered. */
export function finalLumaRows(filteredRows: number): number {
  return max(0, 16 * filteredRows - 3);
}

/**
 * What a thread sleeps for that needs `wanted` rows of a picture: a quarter of the picture more. Whoever is woken as soon as it can go on is
 * asleep again a row later, and falling asleep and being woken costs as much as some rows.
 */
export function rowsToSleepFor(wanted: number, FrameHeightInMbs: number): number {
  return wanted + 4 * FrameHeightInMbs;
}
