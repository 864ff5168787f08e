// Reading syntax elements with their legal range: a value outside is a BitstreamError 'forbidden-value' naming element and clause.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import { BitstreamError } from '../../../errors.ts';

/** ue(v) in 0..largest. */
export function ueUpTo(reader: BitReader, largest: number, name: string, clause: string): number {
  const start = reader.position;
  const value = reader.ue();
  if (value > largest) {
    throw new BitstreamError('forbidden-value', clause, start, `${name} is ${value}, the largest is ${largest}.`);
  }
  return value;
}

/** se(v) in smallest..largest. */
export function seWithin(
  reader: BitReader,
  range: readonly [smallest: number, largest: number],
  name: string,
  clause: string,
): number {
  const start = reader.position;
  const value = reader.se();
  if (value < range[0] || value > range[1]) {
    throw new BitstreamError('forbidden-value', clause, start, `${name} is ${value}, not in ${range[0]}..${range[1]}.`);
  }
  return value;
}
