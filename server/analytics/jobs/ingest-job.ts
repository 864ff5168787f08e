// The windows over what publishers send: per stream and track frames, bitrate, frame rate, key-frame interval, lost frames, encoder
// load. Input: the frame batches of ingest.v1, one sample per frame.

import type { EventRecord } from '../../../shared/telemetry/event-codec.ts';
import type { FrameBatch } from '../../../shared/telemetry/events.ts';
import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';
import { grouped, mapResult, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, meanOf, minOf, sumOf } from '../../../shared/windows/aggregates/numbers.ts';
import { percentileOf } from '../../../shared/windows/aggregates/percentiles.ts';
import { collectOf } from '../../../shared/windows/aggregates/records.ts';
import type { Emit } from '../../../shared/jobs/job.ts';
import { completenessOf, type Bookkeeping } from './completeness.ts';

type FrameSample = {
  readonly kind: 'frame';
  readonly track: string;
  readonly ts: number;
  readonly bytes: number;
  readonly isKey: boolean;
  readonly ptsMs: number;
  /** To the frame before it in order of display, within its batch. */
  readonly intervalMs: number | undefined;
  readonly encodeMs: number | undefined;
  readonly qp: number | undefined;
};

export type IngestSample = FrameSample | Bookkeeping | { readonly kind: 'ended' };

/** What one window says about one track. Milliseconds, kbit/s of 1000 bit. */
export type TrackWindow = {
  readonly frames: number;
  readonly bytes: number;
  readonly bitrateKbps: number;
  readonly fps: number;
  readonly keyframeIntervalMs: number | null;
  /** Usual distance of frames on the timeline. */
  readonly frameIntervalMs: number | null;
  /** Holes on the timeline, in frames. */
  readonly missingFrames: number;
  /** Silence at the end of the window. */
  readonly silentMs: number;
  /** Growth of media time against arrival time over the window: above 0 media runs ahead. */
  readonly driftMs: number;
  readonly encodeMsP95: number | null;
  readonly qpMean: number | null;
};

export type IngestWindow = {
  readonly tracks: Readonly<Record<string, TrackWindow>>;
  readonly complete: number;
  /** The publisher said goodbye in this window. */
  readonly hasEnded: boolean;
};

/** A window's edges count as covered when media reaches this close to them. */
const EDGE_MS = 700;
const MAX_TRACKS = 16;
const MAX_KEYFRAMES = 600;

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

function keyframeInterval(keyPts: readonly number[]): number | null {
  const sorted = [...keyPts].sort((a, b) => a - b);
  const first = sorted.at(0);
  const last = sorted.at(-1);
  return first === undefined || last === undefined || sorted.length < 2
    ? null
    : Math.round((last - first) / (sorted.length - 1));
}

const frames = together({
  frames: countOf,
  bytes: over((frame: FrameSample) => frame.bytes, sumOf),
  firstMs: over((frame: FrameSample) => frame.ts, minOf),
  lastMs: over((frame: FrameSample) => frame.ts, maxOf),
  firstPts: over((frame: FrameSample) => frame.ptsMs, minOf),
  lastPts: over((frame: FrameSample) => frame.ptsMs, maxOf),
  interval: over((frame: FrameSample) => frame.intervalMs, percentileOf(50)),
  keyPts: over((frame: FrameSample) => (frame.isKey ? frame.ptsMs : undefined), collectOf<number>(MAX_KEYFRAMES)),
  encodeMs: over((frame: FrameSample) => frame.encodeMs, percentileOf(95)),
  qp: over((frame: FrameSample) => frame.qp, meanOf),
});

const trackWindow: Aggregate<FrameSample, unknown[], TrackWindow> = mapResult(frames, (seen, { start, end }) => {
  const firstMs = seen.firstMs ?? start;
  const lastMs = seen.lastMs ?? start;
  const ptsSpan = (seen.lastPts ?? 0) - (seen.firstPts ?? 0);
  // Where media begins inside the window, rates are of the part that it covers; the first frame is then the start, not a count.
  const beginsInside = firstMs - start > EDGE_MS;
  const spanMs = Math.max(1, end - (beginsInside ? firstMs : start));
  const interval = seen.interval;
  const expected = interval === null || interval <= 0 ? seen.frames : Math.round(ptsSpan / interval) + 1;
  // A jump of the timeline (another publisher, a clock set) is no loss.
  const isOneTimeline = ptsSpan < (lastMs - firstMs) * 1.5 + 2000;
  return {
    frames: seen.frames,
    bytes: seen.bytes,
    bitrateKbps: round((seen.bytes * 8) / spanMs, 1),
    fps: round(((seen.frames - (beginsInside ? 1 : 0)) * 1000) / spanMs, 2),
    keyframeIntervalMs: keyframeInterval(seen.keyPts),
    frameIntervalMs: interval === null ? null : round(interval, 2),
    missingFrames: isOneTimeline ? Math.max(0, expected - seen.frames) : 0,
    silentMs: Math.max(0, Math.round(end - lastMs)),
    driftMs: isOneTimeline ? Math.round(ptsSpan - (lastMs - firstMs)) : 0,
    encodeMsP95: seen.encodeMs === null ? null : round(seen.encodeMs, 2),
    qpMean: seen.qp === null ? null : round(seen.qp, 1),
  };
});

/** The aggregate of a stream's ingest windows. */
export const ingestReduce = together({
  tracks: over(
    (sample: IngestSample) => (sample.kind === 'frame' ? sample : undefined),
    grouped((frame: FrameSample) => frame.track, trackWindow, MAX_TRACKS),
  ),
  complete: over((sample: IngestSample) => (sample.kind === 'frame' ? undefined : sample), completenessOf),
  hasEnded: mapResult(
    over((sample: IngestSample) => (sample.kind === 'ended' ? sample : undefined), countOf),
    (ended) => ended > 0,
  ),
}) as Aggregate<IngestSample, unknown, IngestWindow>;

function emitFrames(batch: FrameBatch, at: number, emit: Emit<IngestSample>): void {
  const order = batch.ptsMs.map((_, i) => i).sort((a, b) => (batch.ptsMs[a] ?? 0) - (batch.ptsMs[b] ?? 0));
  const intervals = new Map<number, number>();
  for (let i = 1; i < order.length; i++) {
    const [before = 0, here = 0] = [order[i - 1], order[i]];
    intervals.set(here, (batch.ptsMs[here] ?? 0) - (batch.ptsMs[before] ?? 0));
  }
  for (let i = 0; i < batch.bytes.length; i++) {
    const ts = batch.ts + Math.round(batch.arrivalMs[i] ?? 0);
    const sample: FrameSample = {
      kind: 'frame',
      track: batch.track,
      ts,
      bytes: batch.bytes[i] ?? 0,
      isKey: batch.key[i] === 1,
      ptsMs: batch.ptsMs[i] ?? 0,
      intervalMs: intervals.get(i),
      encodeMs: batch.encodeMs?.[i],
      qp: batch.qp?.[i],
    };
    emit(batch.stream, sample, ts, at);
  }
}

/** Turns one event into samples; events that are not about ingest give none. */
export function mapIngest(event: EventRecord, emit: Emit<IngestSample>): void {
  if (event.topic !== 'ingest') {
    return;
  }
  if (event.type === 'frames') {
    emit(event.stream, { kind: 'record' }, event.ts, event.at);
    emitFrames(event, event.at, emit);
  } else if (event.type === 'tick' && event.isEnded === true) {
    emit(event.stream, { kind: 'ended' }, event.ts, event.at);
  }
}
