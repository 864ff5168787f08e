// A job over every stream: the ten with the most viewers, every ten seconds. Add it with analytics.jobs: [top-streams.js].
// Map: each delivery report of a node, under one key for the whole product. Reduce: the newest count of every node and track of a
// stream, added up, the largest first.

import { streamJob } from '../../server/analytics/stream-job.ts';
import { grouped, mapResult, over } from '../../shared/windows/aggregates/composite.ts';
import { lastOf } from '../../shared/windows/aggregates/records.ts';
import { tumbling } from '../../shared/windows/window.ts';

type Viewers = { readonly stream: string; readonly place: string; readonly viewers: number };

const TOP = 10;
const MAX_STREAMS = 10_000;
const MAX_PLACES = 256;

const newestCount = over((seen: Viewers) => seen.viewers, lastOf<number>());
const perStream = mapResult(
  grouped((seen: Viewers) => seen.place, newestCount, MAX_PLACES),
  (places) => Object.values(places).reduce<number>((sum, viewers) => sum + (viewers ?? 0), 0),
);
const topStreams = mapResult(
  grouped((seen: Viewers) => seen.stream, perStream, MAX_STREAMS),
  (streams) =>
    Object.entries(streams)
      .map(([stream, viewers]) => ({ stream, viewers }))
      .sort((a, b) => b.viewers - a.viewers || (a.stream < b.stream ? -1 : 1))
      .slice(0, TOP),
);

export const job = streamJob({
  topic: 'viewer',
  job: {
    name: 'top-streams',
    map: (event, emit) => {
      if (event.topic === 'viewer' && event.type === 'delivery') {
        const { stream, node, track, viewers, ts } = event;
        emit('all', { stream, place: `${node}/${track}`, viewers }, ts);
      }
    },
    window: tumbling(10_000),
    reduce: topStreams,
  },
});
