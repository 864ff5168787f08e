// Implements the Reporter role: every event gets node, boot, receive time and a gapless sequence number per (stream, topic), waits in a
// bounded queue and goes to the log in batches, one append at a time. Reporting never waits and never throws; what does not fit is
// dropped, counted, and covered by a gap event, so that windows know what they miss.

import { encodeEvent, ENVELOPE_VERSION, eventHeaders, type EventRecord } from '../../shared/telemetry/event-codec.ts';
import type { TelemetryEvent } from '../../shared/telemetry/events.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import { EVENT_TOPICS, type EventTopic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { LogRecord, TelemetryLog } from './telemetry-log.ts';

export type ReporterOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stable name of this process. */
  readonly node: string;
  /** Bytes of events that may wait; beyond that new ones are dropped. Sessions and refusals may use a quarter more. */
  readonly maxQueuedBytes?: number;
  /** An append is started after this long, or as soon as a batch is full. */
  readonly flushEveryMs?: number;
};

export type ReporterCounters = {
  readonly reported: number;
  readonly acknowledged: number;
  readonly dropped: Readonly<Record<EventTopic, number>>;
  readonly failedAppends: number;
  readonly queuedBytes: number;
  /** Records dropped to make room and not yet told to the log. */
  readonly openGaps: number;
};

export interface TelemetryReporter extends Reporter {
  counters(): ReporterCounters;
  /** Appends everything that waits; gives up after `withinMs`. */
  flush(withinMs: number): Promise<void>;
  close(withinMs: number): Promise<void>;
}

type Queued = { readonly topic: EventTopic; readonly record: LogRecord; readonly bytes: number };
/** What was dropped of one (stream, topic) since the last event that went through. */
type OpenGap = { readonly fromSeq: number; dropped: number; readonly reason: string };
type Sequence = { next: number; gap: OpenGap | null };
type Live = { lastSeen: number; hasEnded: boolean };

const BATCH_BYTES = 256 * 1024;
const TICK_MS = 1000;
/** A stream that reports nothing for this long has no ticks any more, ms. */
const FORGET_MS = 60_000;
/** After its end a stream ticks on for this long, so that its last windows (10 s) close in their own time. */
const LINGER_MS = 13_000;
const MAX_BACKOFF_MS = 5000;
/** Streams that may be live at once; others get no ticks. */
const MAX_STREAMS = 10_000;
const MAX_SEQUENCES = 4 * MAX_STREAMS;

const isEssential = (event: TelemetryEvent): boolean => event.topic === 'session';

export class LogReporter implements TelemetryReporter {
  private readonly options: ReporterOptions;
  private readonly boot: number;
  private readonly maxBytes: number;
  private readonly sequences = new Map<string, Sequence>();
  private readonly live = new Map<string, Live>();
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private flushing: Promise<void> | null = null;
  private failures = 0;
  private readonly stopTimers: (() => void)[];
  private reported = 0;
  private acknowledged = 0;
  private failedAppends = 0;
  private readonly dropped: Record<EventTopic, number> = { ingest: 0, viewer: 0, session: 0, data: 0 };
  private isClosed = false;

  constructor(options: ReporterOptions) {
    this.options = options;
    this.boot = Math.floor(options.clock.epochMs());
    this.maxBytes = options.maxQueuedBytes ?? 16 * 1024 * 1024;
    const flushEveryMs = options.flushEveryMs ?? 50;
    this.stopTimers = [
      options.clock.every(flushEveryMs, () => {
        this.startFlush();
      }),
      options.clock.every(TICK_MS, () => {
        this.tick();
      }),
    ];
  }

  report(event: TelemetryEvent): void {
    if (this.isClosed) {
      return;
    }
    this.reported++;
    this.follow(event);
    this.enqueue(event);
    if (this.queuedBytes >= BATCH_BYTES) {
      this.startFlush();
    }
  }

  /** Which streams are live, for the ticks. */
  private follow(event: TelemetryEvent): void {
    const { stream, type } = event;
    const known = this.live.get(stream);
    if (known === undefined && (this.live.size >= MAX_STREAMS || type === 'refused')) {
      return;
    }
    const now = this.options.clock.epochMs();
    const hasEnded = type === 'stream-end' || (known?.hasEnded === true && type !== 'publish-start');
    // Viewers that report on do not keep an ended stream.
    const lastSeen = hasEnded && type !== 'stream-end' ? (known?.lastSeen ?? now) : now;
    this.live.set(stream, { lastSeen, hasEnded });
  }

  private tick(): void {
    const now = this.options.clock.epochMs();
    for (const [stream, { lastSeen, hasEnded }] of this.live) {
      const isLast = now - lastSeen >= (hasEnded ? LINGER_MS : FORGET_MS);
      const flags = { ...(hasEnded ? { isEnded: true } : {}), ...(isLast ? { isLast: true } : {}) };
      for (const topic of EVENT_TOPICS) {
        if (this.sequences.has(`${topic} ${stream}`)) {
          this.enqueue({ type: 'tick', topic, stream, ts: Math.floor(now), ...flags });
        }
      }
      if (isLast) {
        this.live.delete(stream);
      }
    }
  }

  private enqueue(event: TelemetryEvent): void {
    const name = `${event.topic} ${event.stream}`;
    let sequence = this.sequences.get(name);
    if (sequence === undefined) {
      if (this.sequences.size >= MAX_SEQUENCES) {
        this.dropped[event.topic]++;
        return; // a flood of stream names: without a number there is nothing that could be missed
      }
      sequence = { next: 0, gap: null };
      this.sequences.set(name, sequence);
    }
    const room = this.maxBytes * (isEssential(event) ? 1.25 : 1);
    if (this.queuedBytes >= room) {
      this.dropped[event.topic]++;
      sequence.gap ??= { fromSeq: sequence.next, dropped: 0, reason: 'the telemetry queue was full' };
      sequence.gap.dropped++;
      sequence.next++;
      return;
    }
    if (sequence.gap !== null) {
      this.closeGap(event, sequence, sequence.gap);
    }
    this.push(event, sequence.next++);
  }

  /** Tells the log what was dropped before this event; the gap event carries the last dropped number. */
  private closeGap(event: TelemetryEvent, sequence: Sequence, { fromSeq, dropped, reason }: OpenGap): void {
    const { topic, stream, ts } = event;
    sequence.gap = null;
    this.push({ type: 'gap', topic, stream, ts, fromSeq, dropped, reason }, sequence.next - 1);
  }

  private push(event: TelemetryEvent, seq: number): void {
    const at = Math.floor(this.options.clock.epochMs());
    const record: EventRecord = { v: ENVELOPE_VERSION, node: this.options.node, boot: this.boot, seq, at, ...event };
    const value = encodeEvent(record);
    const bytes = value.length + 200;
    this.queue.push({
      topic: event.topic,
      record: { key: event.stream, value, timestamp: event.ts, headers: eventHeaders(record) },
      bytes,
    });
    this.queuedBytes += bytes;
  }

  private startFlush(): void {
    if (this.flushing === null && this.queue.length > 0) {
      this.flushing = this.drain().finally(() => {
        this.flushing = null;
      });
    }
  }

  /** Appends batch after batch until the queue is empty; stops at the first failure and lets the timer try again. */
  private async drain(): Promise<void> {
    const { clock } = this.options;
    while (this.queue.length > 0) {
      const batch = this.takeBatch();
      try {
        await this.append(batch);
        this.failures = 0;
        this.acknowledged += batch.length;
        batch.forEach(({ bytes }) => (this.queuedBytes -= bytes));
      } catch (error) {
        this.failures++;
        this.failedAppends++;
        this.queue = [...batch, ...this.queue]; // the order stays; who reads drops what arrived twice by its number
        this.options.logger.warn({ error, failures: this.failures }, 'telemetry could not be appended, trying again');
        const waitMs = Math.min(MAX_BACKOFF_MS, 100 * 2 ** this.failures);
        await new Promise<void>((resolve) => clock.after(waitMs * (0.75 + Math.random() / 2), resolve));
        return;
      }
    }
  }

  private takeBatch(): Queued[] {
    let bytes = 0;
    let n = 0;
    while (n < this.queue.length && bytes < BATCH_BYTES) {
      bytes += this.queue[n]?.bytes ?? 0;
      n++;
    }
    return this.queue.splice(0, n);
  }

  private async append(batch: readonly Queued[]): Promise<void> {
    for (const topic of EVENT_TOPICS) {
      const records = batch.filter((queued) => queued.topic === topic).map(({ record }) => record);
      if (records.length > 0) {
        await this.options.log.append(topic, records);
      }
    }
  }

  counters(): ReporterCounters {
    let openGaps = 0;
    for (const { gap } of this.sequences.values()) {
      openGaps += gap?.dropped ?? 0;
    }
    const { reported, acknowledged, failedAppends, queuedBytes } = this;
    return { reported, acknowledged, dropped: { ...this.dropped }, failedAppends, queuedBytes, openGaps };
  }

  async flush(withinMs: number): Promise<void> {
    const deadline = this.options.clock.monotonicMs() + withinMs;
    while (this.queue.length > 0 || this.flushing !== null) {
      const left = deadline - this.options.clock.monotonicMs();
      if (left <= 0) {
        return;
      }
      this.startFlush();
      await Promise.race([
        this.flushing,
        new Promise<void>((resolve) => this.options.clock.after(Math.min(left, 250), resolve)),
      ]);
    }
  }

  async close(withinMs: number): Promise<void> {
    if (this.isClosed) {
      return;
    }
    this.isClosed = true;
    this.stopTimers.forEach((stop) => {
      stop();
    });
    for (const [name, sequence] of this.sequences) {
      if (sequence.gap !== null) {
        const [topic, stream] = name.split(' ') as [EventTopic, string];
        const ts = Math.floor(this.options.clock.epochMs());
        this.closeGap({ type: 'tick', topic, stream, ts }, sequence, sequence.gap);
      }
    }
    await this.flush(withinMs);
  }
}
