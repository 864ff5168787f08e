// Which key may publish where. Every key is compared, each in constant time, so that timing tells nothing.

import { ProtocolError } from '../../shared/errors.ts';
import { equalSecrets, type Secrets } from '../platform/secrets.ts';

export type KeyCheck = (stream: string, key: string) => void;

/** Throws ProtocolError `wrong-key` unless the key may publish the stream. `open`: any key, also none. */
export function createKeyCheck(mode: 'keys' | 'open', keys: Secrets['publishKeys']): KeyCheck {
  return (stream, key) => {
    if (mode === 'open') {
      return;
    }
    let isAllowed = false;
    for (const candidate of keys) {
      const isSame = equalSecrets(candidate.key, key);
      const isForStream = candidate.streams.includes('*') || candidate.streams.includes(stream);
      isAllowed = (isSame && isForStream) || isAllowed;
    }
    if (!isAllowed) {
      throw new ProtocolError('wrong-key', 'This key may not publish this stream.');
    }
  };
}
