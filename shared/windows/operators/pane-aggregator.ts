// The panes of one key, and the aggregate of any run of consecutive panes in amortised O(1) merges per pane (two stacks: suffixes of
// the older panes are merged once, newer panes pile up in one accumulator). Used by the pane operator for overlapping windows.

import type { AnyAggregate, Json } from '../aggregates/aggregate.ts';

export type Pane = { accumulator: unknown; newest: number };

const { max } = Math;

export class PaneAggregator<V, R> {
  readonly panes = new Map<number, Pane>();
  private readonly aggregate: AnyAggregate<V, R>;
  /** suffixes[i]: everything in the panes suffixFirst + i .. suffixEnd - 1. */
  private suffixes: (Pane | null)[] = [];
  private suffixFirst = 0;
  private suffixEnd = 0;
  /** Everything in the panes suffixEnd .. tailEnd - 1. */
  private tail: Pane | null = null;
  private tailEnd = 0;
  private lastIndex = Number.NaN;
  private lastPane: Pane = { accumulator: null, newest: 0 };

  constructor(aggregate: AnyAggregate<V, R>) {
    this.aggregate = aggregate;
  }

  /** Adds a record to pane `index`; returns whether the pane is new. */
  add(index: number, value: V, ts: number, order: number): boolean {
    if (index === this.lastIndex && index >= this.tailEnd) {
      this.addTo(this.lastPane, value, ts, order);
      return false;
    }
    let pane = this.panes.get(index);
    const isNew = pane === undefined;
    if (pane === undefined) {
      pane = this.newPane();
      this.panes.set(index, pane);
    }
    this.lastIndex = index;
    this.lastPane = pane;
    this.addTo(pane, value, ts, order);
    if (index < this.tailEnd) {
      this.addToMerged(index, value, ts, order);
    }
    return isNew;
  }

  private addTo(pane: Pane, value: V, ts: number, order: number): void {
    this.aggregate.add(pane.accumulator, value, ts, order);
    if (ts > pane.newest) {
      pane.newest = ts;
    }
  }

  /** A record for a pane that has been merged already: it joins everything that the pane is part of. */
  private addToMerged(index: number, value: V, ts: number, order: number): void {
    if (index >= this.suffixEnd) {
      this.tail ??= this.newPane();
      this.addTo(this.tail, value, ts, order);
      return;
    }
    // Neighbouring suffixes without records between them are one object: each such object takes the record once, and is copied
    // first where it also stands for suffixes to the right, which the record is not part of.
    const at = index - this.suffixFirst;
    let known: Pane | null | undefined;
    let grown: Pane | null = null;
    for (let i = at; i >= 0; i--) {
      const suffix = this.suffixes[i];
      if (suffix !== known || grown === null) {
        known = suffix;
        const isSharedToTheRight = i === at && this.suffixes[at + 1] === suffix;
        grown = suffix === null || isSharedToTheRight ? (this.joined(null, suffix) ?? this.newPane()) : suffix;
        this.addTo(grown, value, ts, order);
      }
      this.suffixes[i] = grown;
    }
  }

  /** Everything in the panes first .. end - 1; null when they are empty. `first` and `end` never go back. */
  merged(first: number, end: number): Pane | null {
    if (end === first + 1) {
      return this.panes.get(first) ?? null;
    }
    if (first >= this.suffixEnd || first < this.suffixFirst || this.tailEnd > end) {
      this.rebuild(first, end);
    }
    for (; this.tailEnd < end; this.tailEnd++) {
      this.tail = this.joined(this.tail, this.panes.get(this.tailEnd) ?? null);
    }
    const head = this.suffixes[first - this.suffixFirst] ?? null;
    if (head === null || this.tail === null) {
      return head ?? this.tail;
    }
    const both = this.newPane();
    this.mergeInto(both, head);
    this.mergeInto(both, this.tail);
    return both;
  }

  private rebuild(first: number, end: number): void {
    this.suffixes = new Array<Pane | null>(end - first).fill(null);
    let suffix: Pane | null = null;
    for (let index = end - 1; index >= first; index--) {
      const pane = this.panes.get(index);
      if (pane !== undefined) {
        const longer = this.newPane();
        this.mergeInto(longer, pane);
        if (suffix !== null) {
          this.mergeInto(longer, suffix);
        }
        suffix = longer;
      }
      this.suffixes[index - first] = suffix;
    }
    this.suffixFirst = first;
    this.suffixEnd = end;
    this.tailEnd = end;
    this.tail = null;
  }

  private joined(into: Pane | null, from: Pane | null): Pane | null {
    if (from === null) {
      return into;
    }
    const target = into ?? this.newPane();
    this.mergeInto(target, from);
    return target;
  }

  private mergeInto(into: Pane, from: Pane): void {
    this.aggregate.merge(into.accumulator, from.accumulator);
    into.newest = max(into.newest, from.newest);
  }

  private newPane(): Pane {
    return { accumulator: this.aggregate.create(), newest: -Infinity };
  }

  /** Forgets the panes from `from` up to but not including `before`. */
  forget(from: number, before: number): void {
    for (let index = from; index < before; index++) {
      this.panes.delete(index);
    }
    if (this.lastIndex < before) {
      this.lastIndex = Number.NaN;
    }
    if (this.panes.size === 0) {
      this.suffixes = [];
      this.suffixFirst = this.suffixEnd = this.tailEnd = 0;
      this.tail = null;
    }
  }

  /** The oldest pane that holds something; NaN without any. */
  oldest(): number {
    let oldest = Number.NaN;
    for (const index of this.panes.keys()) {
      if (!(index >= oldest)) {
        oldest = index;
      }
    }
    return oldest;
  }

  save(): Json {
    return [...this.panes].map(([index, pane]) => [index, this.aggregate.save(pane.accumulator), pane.newest]);
  }

  load(saved: Json): void {
    for (const [index, accumulator, newest] of saved as [number, Json, number][]) {
      this.panes.set(index, { accumulator: this.aggregate.load(accumulator), newest });
    }
  }
}
