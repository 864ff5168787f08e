// Branded units of time. PTS and DTS inside the system are microseconds on one stream timeline.

/** Time in microseconds. */
export type Microseconds = number & { readonly brand: 'Microseconds' };
/** Time in milliseconds. */
export type Milliseconds = number & { readonly brand: 'Milliseconds' };

/** Marks a number as microseconds. */
export const microseconds = (value: number): Microseconds => value as Microseconds;
/** Marks a number as milliseconds. */
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;

/** RTMP and FLV count in milliseconds. */
export const millisecondsToMicroseconds = (value: number): Microseconds => (value * 1000) as Microseconds;
