// Knows which sequence numbers have been seen of every (node, boot, stream) of one topic and partition: recognises what arrives twice
// and counts what is missing. Part of the checkpointed state.

import type { EventRecord } from '../../shared/telemetry/event-codec.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';

export type Seen = {
  /** Has been counted already. */
  readonly isDuplicate: boolean;
  /** Records missing before this one: dropped by the reporter or lost on the way. */
  readonly missing: number;
};

/** Sources remembered; the one unheard for longest is forgotten first. */
const MAX_SOURCES = 100_000;

export class SequenceTracker {
  /** Last number of each source, in order of last use. */
  private readonly last = new Map<string, number>();
  duplicates = 0;
  missing = 0;

  see(event: EventRecord): Seen {
    const source = `${event.node}/${event.boot}/${event.stream}`;
    const before = this.last.get(source);
    if (before !== undefined && event.seq <= before) {
      this.duplicates++;
      return { isDuplicate: true, missing: 0 };
    }
    this.last.delete(source);
    this.last.set(source, event.seq);
    if (this.last.size > MAX_SOURCES) {
      const [oldest] = this.last.keys();
      this.last.delete(oldest ?? '');
    }
    const isGap = event.type === 'gap' && 'dropped' in event;
    // A source first heard in its middle was there before us: nothing is known to be missing.
    const unseen = before === undefined ? 0 : event.seq - before - 1;
    const missing = isGap ? Math.max(unseen, event.dropped) : unseen;
    this.missing += missing;
    return { isDuplicate: false, missing };
  }

  save(): Json {
    return [...this.last];
  }

  load(saved: Json): void {
    this.last.clear();
    for (const [source, seq] of saved as [string, number][]) {
      this.last.set(source, seq);
    }
  }
}
