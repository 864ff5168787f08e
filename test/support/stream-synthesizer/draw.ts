// Random choices of the stream synthesizer, all from one seed.

import { seededRandom } from '../random.ts';

/** A source of choices. */
export class Draw {
  private readonly random: (limit: number) => number;

  constructor(seed: number) {
    this.random = seededRandom(seed * 2654435761 + 12345);
    for (let i = 0; i < 8; i++) {
      this.random(2);
    }
  }

  /** 0..limit - 1. */
  below(limit: number): number {
    return this.random(limit);
  }

  /** low..high. */
  between(low: number, high: number): number {
    return low + this.random(high - low + 1);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.random(100) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.random(choices.length)];
  }

  /** 0, 1, 2 ... each half as likely as the one before. */
  geometric(most: number): number {
    let value = 0;
    while (value < most && this.random(2) === 1) {
      value++;
    }
    return value;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.random(256));
  }
}
