// What every WebSocket publisher's session shares.

import type { Limits } from '../../../shared/config/limits.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import type { StreamId } from '../../../shared/media/brands.ts';
import type { Reporter } from '../../../shared/telemetry/reporter.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { PublishAdmission } from '../../streams/roles.ts';

export type PublishContext = {
  readonly admission: PublishAdmission;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reporter: Reporter;
  /** Takes so many events of other sources for the stream, or none: false. */
  readonly takeEvents: (stream: StreamId, count: number) => boolean;
  /** Counts a refusal that the admission does not see. */
  readonly refused: (code: PeerErrorCode, stream: StreamId | '') => void;
};
