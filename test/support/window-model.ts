// A second, naive model of the window engine, to judge it by: every window is a list of records, every rule is written out as the
// engine that it comes from states it, nothing is shared, merged ahead or forgotten early. Slow and obvious on purpose.

import type { Semantics, Trigger, WindowSpec } from '../../shared/windows/window.ts';

/** `value` numbers the records in order of arrival. */
export type ModelRecord = { readonly key: string; readonly value: number; readonly ts: number };
export type ModelStep = ModelRecord | { readonly watermark: number };
export type ModelSetup = {
  readonly window: WindowSpec;
  readonly semantics: Semantics;
  readonly grace: number;
  readonly lateness: number;
  readonly trigger: Trigger;
};
/** A fired window or a late record; `values` in order of arrival. */
export type ModelRow =
  | { readonly key: string; readonly start: number; readonly end: number; readonly values: readonly number[] }
  | { readonly late: true; readonly key: string; readonly value: number; readonly ts: number; readonly start?: number };

type ModelWindow = {
  readonly key: string;
  first: number;
  last: number;
  /** Exclusive for aligned windows and for the sessions of Flink and Beam, else the last record. */
  end: number;
  pane: ModelRecord[];
  hasFired: boolean;
};

class WindowModel {
  protected readonly setup: ModelSetup;
  protected clock = -Infinity;
  protected windows: ModelWindow[] = [];
  readonly rows: ModelRow[] = [];

  constructor(setup: ModelSetup) {
    this.setup = setup;
  }

  /** Kafka: how far behind the clock a window may end and still take records. */
  private kafkaWait(): number {
    const { window, grace } = this.setup;
    return window.kind === 'session' ? grace + window.gap : grace;
  }

  protected isOver(end: number): boolean {
    const { semantics, lateness, window } = this.setup;
    switch (semantics) {
      case 'kafka':
        return window.kind === 'session' ? end < this.clock - this.kafkaWait() : end <= this.clock - this.kafkaWait();
      case 'flink':
        return end - 1 + lateness <= this.clock;
      case 'beam':
        return end - 1 + lateness < this.clock;
    }
  }

  protected hasPassed(end: number): boolean {
    switch (this.setup.semantics) {
      case 'kafka':
        return this.isOver(end);
      case 'flink':
        return this.clock >= end - 1;
      case 'beam':
        return this.clock > end - 1;
    }
  }

  step(step: ModelStep): void {
    if ('watermark' in step) {
      this.clock = Math.max(this.clock, step.watermark);
    } else {
      if (this.setup.semantics === 'kafka') {
        this.clock = Math.max(this.clock, step.ts);
      }
      if (this.setup.semantics === 'kafka' && step.ts < 0) {
        this.rows.push({ late: true, ...step });
      } else {
        this.take(step);
      }
    }
    this.fireDue();
  }

  /** The end of the input: everything that has not fired does. */
  flush(): void {
    this.clock = Infinity;
    this.fireDue();
  }

  protected take(record: ModelRecord): void {
    const { semantics, lateness } = this.setup;
    const starts = this.startsOf(record.ts);
    const open = starts.filter((start) => !this.isOver(start + this.size()));
    if (semantics === 'kafka') {
      starts
        .filter((start) => !open.includes(start))
        .forEach((start) => this.rows.push({ late: true, ...record, start }));
    } else if (open.length === 0) {
      const isLate = semantics === 'flink' ? record.ts + lateness <= this.clock : record.ts + lateness < this.clock;
      if (isLate) {
        this.rows.push({ late: true, ...record });
      }
    }
    for (const start of open) {
      let window = this.windows.find((each) => each.key === record.key && each.first === start);
      if (window === undefined) {
        window = {
          key: record.key,
          first: start,
          last: start,
          end: start + this.size(),
          pane: [],
          hasFired: false,
        };
        this.windows.push(window);
      }
      window.pane.push(record);
      this.fireAgain(window);
    }
  }

  /** A record inside the lateness of a window that is past its end fires it at once. */
  protected fireAgain(window: ModelWindow): void {
    if (this.hasPassed(window.end)) {
      this.fire(window);
    }
  }

  private size(): number {
    const { window } = this.setup;
    return window.kind === 'tumbling' || window.kind === 'hopping' ? window.size : 0;
  }

  private startsOf(ts: number): number[] {
    const { window, semantics } = this.setup;
    const starts: number[] = [];
    if (window.kind === 'tumbling' || window.kind === 'hopping') {
      const advance = window.kind === 'hopping' ? window.advance : window.size;
      for (let start = ts - window.size + 1; start <= ts; start++) {
        const isAligned = (start - window.offset) % advance === 0;
        if (isAligned && (semantics !== 'kafka' || start >= 0)) {
          starts.push(start);
        }
      }
    }
    return starts;
  }

  private fireDue(): void {
    const isKafkaSession = this.setup.semantics === 'kafka' && this.setup.window.kind === 'session';
    const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    this.windows
      .filter((window) => !window.hasFired && this.hasPassed(window.end))
      .sort(
        (a, b) =>
          a.end - b.end ||
          (isKafkaSession ? a.first - b.first || byName(a.key, b.key) : byName(a.key, b.key) || a.first - b.first),
      )
      .forEach((window) => {
        this.fire(window);
      });
    this.windows = this.windows.filter((window) => !this.isForgotten(window));
  }

  private isForgotten({ end }: ModelWindow): boolean {
    const { window, semantics } = this.setup;
    // Kafka: a closed session still grows by a record that is not late itself.
    return semantics === 'kafka' && window.kind === 'session' ? this.isOver(end + window.gap) : this.isOver(end);
  }

  private fire(window: ModelWindow): void {
    window.hasFired = true;
    if (window.pane.length === 0) {
      return;
    }
    this.rows.push({
      key: window.key,
      start: window.first,
      end: window.end,
      values: window.pane.map(({ value }) => value),
    });
    if (this.setup.trigger === 'purging') {
      window.pane = [];
    }
  }
}

class SessionModel extends WindowModel {
  private readonly gap: number;

  constructor(setup: ModelSetup & { readonly window: { readonly kind: 'session'; readonly gap: number } }) {
    super(setup);
    this.gap = setup.window.gap;
  }

  protected override take(record: ModelRecord): void {
    const { semantics } = this.setup;
    const { key, ts } = record;
    const joined = this.windows.filter((window) => window.key === key && this.touches(window, ts));
    const first = Math.min(ts, ...joined.map((window) => window.first));
    const last = Math.max(ts, ...joined.map((window) => window.last));
    const end = semantics === 'kafka' ? last : last + this.gap;
    if (this.isOver(semantics === 'beam' ? ts + this.gap : end)) {
      this.rows.push({ late: true, ...record, ...(semantics === 'kafka' ? { start: first } : {}) });
      return;
    }
    this.windows = this.windows.filter((window) => !joined.includes(window));
    const pane = [...joined.flatMap((window) => window.pane), record].sort((a, b) => a.value - b.value);
    const merged: ModelWindow = { key, first, last, end, pane, hasFired: false };
    this.windows.push(merged);
    this.fireAgain(merged);
  }

  private touches({ first, last }: ModelWindow, ts: number): boolean {
    const distance = ts < first ? first - ts : ts > last ? ts - last : 0;
    return this.setup.semantics === 'beam' ? distance === 0 || distance < this.gap : distance <= this.gap;
  }
}

/** What the engine must give for these steps: fired windows and late records in order; `isFlushed`: the input has ended. */
export function modelRows(steps: readonly ModelStep[], setup: ModelSetup, isFlushed: boolean): ModelRow[] {
  const { window } = setup;
  const model = window.kind === 'session' ? new SessionModel({ ...setup, window }) : new WindowModel(setup);
  steps.forEach((step) => {
    model.step(step);
  });
  if (isFlushed) {
    model.flush();
  }
  return model.rows;
}

/** Kafka's sliding windows by their definition, for records none of which is late: start -> values in order of arrival. */
export function slidingByDefinition(records: readonly ModelRecord[], size: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const offer = (key: string, start: number): void => {
    const inside = records.filter((other) => other.key === key && other.ts >= start && other.ts <= start + size);
    if (inside.length > 0) {
      found.set(
        `${key} ${start}`,
        inside.map(({ value }) => value),
      );
    }
  };
  for (const { key, ts } of records) {
    offer(key, Math.max(0, ts - size)); // ends at the record; records younger than the size share the one from 0
    offer(key, ts + 1);
  }
  return found;
}

/** Count windows by their definition: slices of the key's records; the last one that nothing else covers is partial. */
export function countsByDefinition(values: readonly number[], size: number, advance: number): object[] {
  const rows: object[] = [];
  let covered = 0;
  let start = 0;
  for (; start + size <= values.length; start += advance) {
    rows.push({ start, end: start + size, values: values.slice(start, start + size), isPartial: false });
    covered = start + size;
  }
  if (start < values.length && values.length > covered) {
    rows.push({ start, end: values.length, values: values.slice(start), isPartial: true });
  }
  return rows;
}
