// A job over every stream: kilobits per second by codec (`avc1`, `hvc1`, `opus`, ...), every ten seconds.

import { streamJob } from '../../server/analytics/stream-job.ts';
import { mapResult } from '../../shared/windows/aggregates/composite.ts';
import { rateOf } from '../../shared/windows/aggregates/numbers.ts';
import { tumbling } from '../../shared/windows/window.ts';

/** RFC 6381 strings begin with the codec's own name. */
const family = (codec: string | undefined): string => codec?.split('.', 1)[0] ?? 'unknown';

export const job = streamJob({
  topic: 'ingest',
  job: {
    name: 'codec-bitrate',
    map: (event, emit) => {
      if (event.topic === 'ingest' && event.type === 'frames') {
        event.bytes.forEach((bytes, i) => {
          emit(family(event.codec), bytes, event.ts + Math.round(event.arrivalMs[i] ?? 0));
        });
      }
    },
    window: tumbling(10_000),
    reduce: mapResult(rateOf, (bytesPerSecond) => Math.round((bytesPerSecond ?? 0) * 8) / 1000),
  },
});
