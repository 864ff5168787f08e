// How loud samples are, for the studio's meter. Pure.

const FLOOR_DB = -60;
const SILENCE = 1e-12;

/** Loudness of samples (-1..1) as a share of the meter: 0 at -60 dB and below, 1 at full scale. */
export function meterShare(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  const decibels = 10 * Math.log10(Math.max(power, SILENCE));
  return Math.max(0, Math.min(1, 1 - decibels / FLOOR_DB));
}
