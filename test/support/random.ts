// Seeded pseudo-random numbers (xorshift32) for tests: the same seed gives the same numbers on every machine.

/** A function that returns the next whole number in 0..limit-1. */
export function seededRandom(seed: number): (limit: number) => number {
  let state = (seed | 0) === 0 ? 0x9e3779b9 : seed | 0;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
