// The windows over what publishers send: per stream and track frames, bitrate, frame rate, key-frame interval, lost frames, encoder
// load, silence; per stream what its pictures look like and how wrong its clock is. Input: ingest.v1, one sample per frame.

import type { EventRecord } from '../../../shared/telemetry/event-codec.ts';
import type { FrameBatch } from '../../../shared/telemetry/events.ts';
import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';
import { grouped, mapResult, over, together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, meanOf, minOf, sumOf } from '../../../shared/windows/aggregates/numbers.ts';
import { percentileOf, percentilesOf } from '../../../shared/windows/aggregates/percentiles.ts';
import { collectOf } from '../../../shared/windows/aggregates/records.ts';
import type { Emit } from '../../../shared/jobs/job.ts';
import { completenessOf, type Bookkeeping } from './completeness.ts';
import type { StageWindow } from './viewer-job.ts';

/** Stages of a frame's way up to the tracks of the server, in order. */
export const INGEST_STAGES = ['capture', 'queue', 'decode', 'scale', 'encode'] as const;
type IngestStage = (typeof INGEST_STAGES)[number];

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
  readonly silent: number | undefined;
  readonly stages: readonly (number | undefined)[];
};
type PictureSample = {
  readonly kind: 'picture';
  readonly luma: number;
  readonly spread: number;
  readonly moved: number | null;
  readonly sinceMs: number | null;
};
type ClockSample = { readonly kind: 'clock'; readonly what: 'capture' | 'timeline'; readonly offMs: number };
type DropSample = { readonly kind: 'drops'; readonly late: number };

export type IngestSample =
  | FrameSample
  | PictureSample
  | ClockSample
  | DropSample
  | Bookkeeping
  /** The stream is live, and nothing came; the publisher said goodbye. */
  | { readonly kind: 'tick' | 'ended' };

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
  /** Media time ahead of arrival time, mean: comparable between the tracks of a stream. */
  readonly leadMs: number;
  /** Bytes of frames that open no group, median and 95th percentile. */
  readonly deltaBytesP50: number | null;
  readonly deltaBytesP95: number | null;
  readonly encodeMsP95: number | null;
  readonly qpMean: number | null;
  /** The server's part of the way: capture to arrival, and what the transcoder did; stages that were not measured are missing. */
  readonly stages: Readonly<Partial<Record<IngestStage, StageWindow>>>;
  /** Share of audio frames that are digital silence, 0..1; null where the codec does not tell. */
  readonly silentShare: number | null;
};

/** What the pictures that were looked at had in common. */
export type PictureWindow = {
  /** Pictures looked at. */
  readonly pictures: number;
  /** Mean luma of the darkest and the brightest, and standard deviation of the liveliest, 0..255. */
  readonly lumaMin: number;
  readonly lumaMax: number;
  readonly spreadMax: number;
  /** Smallest and largest share of the picture that moved, 0..1; null where nothing could be compared. */
  readonly movedMin: number | null;
  readonly movedMax: number | null;
  /** Time of the stream that the comparisons cover, ms. */
  readonly comparedMs: number;
};

export type IngestWindow = {
  readonly tracks: Readonly<Record<string, TrackWindow>>;
  /** Null where no picture was looked at. */
  readonly picture: PictureWindow | null;
  /** How far the publisher's capture times, and a jump of its timestamps, are off, ms; null: not at all. */
  readonly captureOffMs: number | null;
  readonly timelineOffMs: number | null;
  /** Pictures that came too late to be encoded. */
  readonly latePictures: number;
  readonly complete: number;
  /** The publisher said goodbye in this window. */
  readonly hasEnded: boolean;
};

/** A window's edges count as covered when media reaches this close to them. */
const EDGE_MS = 700;
const MAX_TRACKS = 16;
const MAX_KEYFRAMES = 600;

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;
const roundOrNull = (value: number | null, digits: number): number | null =>
  value === null ? null : round(value, digits);

function keyframeInterval(keyPts: readonly number[]): number | null {
  const sorted = [...keyPts].sort((a, b) => a - b);
  const first = sorted.at(0);
  const last = sorted.at(-1);
  return first === undefined || last === undefined || sorted.length < 2
    ? null
    : Math.round((last - first) / (sorted.length - 1));
}

const stages = mapResult(
  together(
    Object.fromEntries(
      INGEST_STAGES.map((stage, i) => {
        const select = (frame: FrameSample): number | undefined => frame.stages[i];
        return [stage, over(select, percentilesOf({ p50: 50, p95: 95 }))];
      }),
    ),
  ),
  (seen) =>
    Object.fromEntries(
      Object.entries(seen).flatMap(([stage, { p50, p95 }]) =>
        p50 === null || p95 === null ? [] : [[stage, { p50: round(p50, 1), p95: round(p95, 1) }]],
      ),
    ) as TrackWindow['stages'],
);

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
  lead: over((frame: FrameSample) => frame.ptsMs - frame.ts, meanOf),
  deltaBytes: over(
    (frame: FrameSample) => (frame.isKey ? undefined : frame.bytes),
    percentilesOf({ p50: 50, p95: 95 }),
  ),
  silent: over((frame: FrameSample) => frame.silent, meanOf),
  stages,
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
    frameIntervalMs: roundOrNull(interval, 2),
    missingFrames: isOneTimeline ? Math.max(0, expected - seen.frames) : 0,
    silentMs: Math.max(0, Math.round(end - lastMs)),
    driftMs: isOneTimeline ? Math.round(ptsSpan - (lastMs - firstMs)) : 0,
    encodeMsP95: roundOrNull(seen.encodeMs, 2),
    qpMean: roundOrNull(seen.qp, 1),
    leadMs: round(seen.lead ?? 0, 1),
    deltaBytesP50: roundOrNull(seen.deltaBytes.p50, 0),
    deltaBytesP95: roundOrNull(seen.deltaBytes.p95, 0),
    stages: seen.stages,
    silentShare: roundOrNull(seen.silent, 4),
  };
});

const pictures = mapResult(
  together({
    pictures: countOf,
    lumaMin: over((picture: PictureSample) => picture.luma, minOf),
    lumaMax: over((picture: PictureSample) => picture.luma, maxOf),
    spreadMax: over((picture: PictureSample) => picture.spread, maxOf),
    movedMin: over((picture: PictureSample) => picture.moved ?? undefined, minOf),
    movedMax: over((picture: PictureSample) => picture.moved ?? undefined, maxOf),
    comparedMs: over((picture: PictureSample) => picture.sinceMs ?? undefined, sumOf),
  }),
  (seen): PictureWindow | null =>
    seen.pictures === 0
      ? null
      : {
          pictures: seen.pictures,
          lumaMin: round(seen.lumaMin ?? 0, 1),
          lumaMax: round(seen.lumaMax ?? 0, 1),
          spreadMax: round(seen.spreadMax ?? 0, 1),
          movedMin: seen.movedMin === null ? null : round(seen.movedMin, 4),
          movedMax: seen.movedMax === null ? null : round(seen.movedMax, 4),
          comparedMs: Math.round(seen.comparedMs),
        },
);

/** The value that lies furthest from 0, with its sign. */
const furthestOff = (what: ClockSample['what']) =>
  mapResult(
    over(
      (sample: IngestSample) => (sample.kind === 'clock' && sample.what === what ? sample.offMs : undefined),
      together({ low: minOf, high: maxOf }),
    ),
    ({ low, high }) => (low === null || high === null ? null : Math.round(-low > high ? low : high)),
  );

/** The aggregate of a stream's ingest windows. */
export const ingestReduce = together({
  picture: over((sample: IngestSample) => (sample.kind === 'picture' ? sample : undefined), pictures),
  captureOffMs: furthestOff('capture'),
  timelineOffMs: furthestOff('timeline'),
  latePictures: over((sample: IngestSample) => (sample.kind === 'drops' ? sample.late : undefined), sumOf),
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

/** In the order of INGEST_STAGES. Encoding is told with scaling in it. */
function stagesOf(batch: FrameBatch, i: number): readonly (number | undefined)[] {
  const [encodeMs, scaleMs] = [batch.encodeMs?.[i], batch.scaleMs?.[i]];
  const encodingMs = encodeMs === undefined ? undefined : Math.max(0, encodeMs - (scaleMs ?? 0));
  return [batch.captureMs?.[i], batch.queueMs?.[i], batch.decodeMs?.[i], scaleMs, encodingMs];
}

/** Of each frame to the one before it in order of display; none for the first. */
function intervalsOf(ptsMs: readonly number[]): readonly (number | undefined)[] {
  const order = ptsMs.map((_, i) => i).sort((a, b) => (ptsMs[a] ?? 0) - (ptsMs[b] ?? 0));
  const intervals = new Array<number | undefined>(ptsMs.length).fill(undefined);
  for (let i = 1; i < order.length; i++) {
    const [before = 0, here = 0] = [order[i - 1], order[i]];
    intervals[here] = (ptsMs[here] ?? 0) - (ptsMs[before] ?? 0);
  }
  return intervals;
}

function emitFrames(batch: FrameBatch, at: number, emit: Emit<IngestSample>): void {
  const intervals = intervalsOf(batch.ptsMs);
  for (let i = 0; i < batch.bytes.length; i++) {
    const ts = batch.ts + Math.round(batch.arrivalMs[i] ?? 0);
    const sample: FrameSample = {
      kind: 'frame',
      track: batch.track,
      ts,
      bytes: batch.bytes[i] ?? 0,
      isKey: batch.key[i] === 1,
      ptsMs: batch.ptsMs[i] ?? 0,
      intervalMs: intervals[i],
      encodeMs: batch.encodeMs?.[i],
      qp: batch.qp?.[i],
      silent: batch.silent?.[i],
      stages: stagesOf(batch, i),
    };
    emit(batch.stream, sample, ts, at);
  }
}

/** Turns one event into samples; events that are not about ingest give none. */
export function mapIngest(event: EventRecord, emit: Emit<IngestSample>): void {
  if (event.topic !== 'ingest') {
    return;
  }
  const { stream, ts, at } = event;
  switch (event.type) {
    case 'frames':
      emit(stream, { kind: 'record' }, ts, at);
      emitFrames(event, at, emit);
      break;
    case 'picture': {
      const { luma, spread, moved, sinceMs } = event;
      emit(stream, { kind: 'record' }, ts, at);
      emit(stream, { kind: 'picture', luma, spread, moved, sinceMs }, ts, at);
      break;
    }
    case 'publisher-clock':
      emit(stream, { kind: 'record' }, ts, at);
      emit(stream, { kind: 'clock', what: event.what, offMs: event.offMs }, ts, at);
      break;
    case 'transcode-drops':
      emit(stream, { kind: 'record' }, ts, at);
      emit(stream, { kind: 'drops', late: event.late }, ts, at);
      break;
    case 'tick':
      // Windows close where nothing comes, too: that is how silence is seen.
      emit(stream, { kind: event.isEnded === true ? 'ended' : 'tick' }, ts, at);
      break;
    case 'gap':
      break;
  }
}
