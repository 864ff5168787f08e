// A job over sensors of every stream: per sensor (the event's key) the number of readings, their mean and the 95th percentile, every
// ten seconds. A sensor that moves between streams stays one sensor: that is what the shuffle by key is for.

import { streamJob } from '../../server/analytics/stream-job.ts';
import { together } from '../../shared/windows/aggregates/composite.ts';
import { countOf, meanOf } from '../../shared/windows/aggregates/numbers.ts';
import { percentileOf } from '../../shared/windows/aggregates/percentiles.ts';
import { tumbling } from '../../shared/windows/window.ts';

export const job = streamJob({
  topic: 'data',
  job: {
    name: 'sensor-means',
    map: (event, emit) => {
      if (event.topic === 'data' && 'value' in event && typeof event.value === 'number') {
        emit(event.key, event.value, event.ts);
      }
    },
    window: tumbling(10_000),
    reduce: together({ readings: countOf, mean: meanOf, p95: percentileOf(95) }),
  },
});
