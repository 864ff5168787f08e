// Arithmetic of windows that are aligned to the clock (tumbling, hopping): which of them hold a time.

/** `[start, start + size)` with start = offset + k * advance. */
export type AlignedWindows = { readonly size: number; readonly advance: number; readonly offset: number };

const { floor } = Math;

/** Start of the newest window that holds `ts`, or of the one before it where windows leave gaps. */
export function newestStart({ advance, offset }: AlignedWindows, ts: number): number {
  return offset + floor((ts - offset) / advance) * advance;
}

/** Start of the oldest window that holds `ts`; above newestStart where no window does. */
export function oldestStart({ size, advance, offset }: AlignedWindows, ts: number): number {
  return offset + (floor((ts - offset - size) / advance) + 1) * advance;
}

/** The first start that is not negative. */
export function firstStartFromZero({ advance, offset }: AlignedWindows): number {
  return ((offset % advance) + advance) % advance;
}

/** The largest pane length that divides every window: windows start and end on pane bounds. */
export function paneLength({ size, advance }: AlignedWindows): number {
  let [a, b] = [size, advance];
  while (b !== 0) {
    [a, b] = [b, a % b];
  }
  return a;
}
