// Branded units of time. PTS and DTS inside the system are microseconds on one stream timeline.

/** Time in microseconds. */
export type Microseconds = number & { readonly brand: 'Microseconds' };

/** Marks a number as microseconds. */
export const microseconds = (value: number): Microseconds => value as Microseconds;

/** RTMP and FLV count in milliseconds. */
export const millisecondsToMicroseconds = (value: number): Microseconds => (value * 1000) as Microseconds;
