// How many viewers there may be, in all and per address. Counted for every protocol together.

import { ProtocolError } from '../../shared/errors.ts';
import type { Limits } from '../../shared/config/limits.ts';

export class ViewerLimits {
  private readonly limits: Pick<Limits, 'viewers' | 'viewersPerIp'>;
  private readonly byAddress = new Map<string, number>();
  private total = 0;

  constructor(limits: Pick<Limits, 'viewers' | 'viewersPerIp'>) {
    this.limits = limits;
  }

  /** Counts a viewer until the returned function is called. Throws ProtocolError `limit`. */
  enter(address: string): () => void {
    const { viewers, viewersPerIp } = this.limits;
    const ofAddress = this.byAddress.get(address) ?? 0;
    if (this.total >= viewers) {
      throw new ProtocolError('limit', `The server takes ${viewers} viewers.`);
    }
    if (viewersPerIp > 0 && ofAddress >= viewersPerIp) {
      throw new ProtocolError('limit', `The server takes ${viewersPerIp} viewers per address.`);
    }
    this.total++;
    this.byAddress.set(address, ofAddress + 1);
    let counted = true;
    return () => {
      if (!counted) {
        return;
      }
      counted = false;
      this.total--;
      const left = (this.byAddress.get(address) ?? 1) - 1;
      if (left > 0) {
        this.byAddress.set(address, left);
      } else {
        this.byAddress.delete(address);
      }
    };
  }
}
