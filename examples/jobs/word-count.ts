// A job over the chat of every stream (events of type `chat`, POST /api/v1/events/STREAM): the twenty most frequent words of each
// stream, over a minute, every ten seconds.

import { streamJob } from '../../server/analytics/stream-job.ts';
import { topKOf } from '../../shared/windows/aggregates/top-k.ts';
import { hopping } from '../../shared/windows/window.ts';

export const job = streamJob({
  topic: 'data',
  job: {
    name: 'word-count',
    map: (event, emit) => {
      if (event.topic === 'data' && event.type === 'chat' && 'value' in event && typeof event.value === 'string') {
        for (const word of event.value.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) {
          emit(event.stream, word, event.ts);
        }
      }
    },
    window: hopping(60_000, 10_000),
    reduce: topKOf(20),
  },
});
