// Arithmetic of Exp-Golomb codes (9.1): code numbers and lengths, for those who count bits without writing them.
// Reading and writing are BitReader.ue/se/te and BitWriter.ue/se/te.

const { clz32 } = Math;

/** Code number of a signed value (9.1.1): 0, 1, -1, 2, -2, ... become 0, 1, 2, 3, 4, ... */
function codeNumOfSigned(value: number): number {
  return value > 0 ? 2 * value - 1 : -2 * value;
}

/** Bits of ue(v), value 0..2^31-2. */
export function ueLength(value: number): number {
  return 2 * (31 - clz32(value + 1)) + 1;
}

/** Bits of se(v), magnitude below 2^30. */
export function seLength(value: number): number {
  return ueLength(codeNumOfSigned(value));
}

/** Bits of te(v) with the largest value `range` >= 1. */
export function teLength(value: number, range: number): number {
  return range > 1 ? ueLength(value) : 1;
}
