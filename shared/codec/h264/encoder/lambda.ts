// Lagrange multipliers: what a bit is worth in distortion at each QP. Called by all decisions of the encoder.

const { max, round } = Math;

/** For SATD and SAD: 2 ** (QP / 6 - 2), in sixteenths. */
export const LAMBDA_16 = Int32Array.from({ length: 52 }, (_, qp) => max(16, round(16 * 2 ** (qp / 6 - 2))));
