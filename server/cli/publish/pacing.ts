// Real time for a file: waits until each event is due, and lets the file run round and round with times that only grow.

import { millisecondsToMicroseconds, microseconds } from '../../../shared/media/time.ts';
import type { Microseconds } from '../../../shared/media/time.ts';
import { timeOf } from './media-source.ts';
import type { MediaSource, SourceEvent } from './media-source.ts';

/** Waits for the wall clock. The first time it sees is due at once. */
export class Pacer {
  #origin: number | null = null;

  /** Resolves when `time` of the media is due. */
  async due(time: Microseconds): Promise<void> {
    const now = performance.now();
    this.#origin ??= now - time / 1000;
    const wait = this.#origin + time / 1000 - now;
    if (wait > 1) {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Spacing assumed for a track of one unit. */
const LONE_UNIT = millisecondsToMicroseconds(40);

type TrackSpan = { last: number; step: number };

/** The events of the file, again and again where `isLooped`, starting at time 0 and going on in time over each seam. */
export async function* continuousEvents(source: MediaSource, isLooped: boolean): AsyncGenerator<SourceEvent> {
  let shift: number | null = null;
  let end = 0;
  do {
    const spans = new Map<string, TrackSpan>();
    let base = end;
    let isEmpty = true;
    for await (const event of source.events()) {
      const time = timeOf(event);
      if (time === null) {
        yield event;
        continue;
      }
      if (isEmpty) {
        shift = base - time;
        isEmpty = false;
      }
      const shifted = shiftEvent(event, shift ?? 0);
      noteSpan(spans, event.kind === 'frame' ? 'video' : nameOf(event), timeOf(shifted) ?? 0);
      yield shifted;
    }
    if (isEmpty) {
      return;
    }
    end = Math.max(...[...spans.values()].map(({ last, step }) => last + step));
    base = end;
  } while (isLooped);
}

function nameOf(event: SourceEvent): string {
  return 'name' in event ? (event.name ?? '') : '';
}

function noteSpan(spans: Map<string, TrackSpan>, name: string, time: number): void {
  const span = spans.get(name);
  if (span === undefined) {
    spans.set(name, { last: time, step: LONE_UNIT });
  } else {
    span.step = time > span.last ? time - span.last : span.step;
    span.last = Math.max(span.last, time);
  }
}

function shiftEvent(event: SourceEvent, shift: number): SourceEvent {
  const move = (time: Microseconds): Microseconds => microseconds(time + shift);
  switch (event.kind) {
    case 'track':
      return event;
    case 'unit':
      return { ...event, unit: { ...event.unit, pts: move(event.unit.pts), dts: move(event.unit.dts) } };
    case 'tag': {
      const dts = move(event.dts);
      return { ...event, dts, tag: { ...event.tag, timestamp: Math.round(dts / 1000) >>> 0 } };
    }
    case 'frame': {
      const { frame } = event;
      return { kind: 'frame', frame: { ...frame, timestamp: move(frame.timestamp), close: () => frame.close() } };
    }
  }
}
