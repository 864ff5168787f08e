// How many connections one address may have that cost more than they bring: publishers, and handshakes that are not finished.

import { ProtocolError } from '../../shared/errors.ts';

export class AddressGate {
  private readonly max: number;
  private readonly counts = new Map<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  /** Counts one connection until the returned function is called (twice does nothing). Throws ProtocolError `limit`. */
  enter(address: string): () => void {
    const count = this.counts.get(address) ?? 0;
    if (count >= this.max) {
      throw new ProtocolError('limit', `One address may have ${this.max} publishers and unfinished handshakes.`);
    }
    this.counts.set(address, count + 1);
    let isCounted = true;
    return () => {
      if (!isCounted) {
        return;
      }
      isCounted = false;
      const left = (this.counts.get(address) ?? 1) - 1;
      if (left > 0) {
        this.counts.set(address, left);
      } else {
        this.counts.delete(address);
      }
    };
  }
}
