// The shape of every benchmark: rows of named figures, printed as one table, written as one JSON document.

import { cpus } from 'node:os';

export type BenchOptions = {
  /** Folder for clips and intermediate files; kept between runs. */
  readonly cacheDir: string;
  /** Called with one sentence about what is measured now. */
  readonly progress: (sentence: string) => void;
  /** Full figures instead of the quick ones. */
  readonly isLong: boolean;
};

/** One measured thing; the first column names it. Numbers are rounded for print only. */
export type BenchRow = Readonly<Record<string, string | number>>;

export type BenchResult = {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  /** Targets and whether they are met, peers that were not found, conditions of the run. */
  readonly notes: readonly string[];
  /** The rows as a picture, an SVG document. */
  readonly chart?: string;
};

/** Runs one benchmark. Peers are used when found and named in `notes` when not. */
export type BenchRunner = (options: BenchOptions) => Promise<BenchResult>;

/** What identifies a run: quote it with every figure. */
export function benchConditions(): Readonly<Record<string, string | number>> {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    at: new Date().toISOString(),
  };
}

/** The middle of the values, the upper one of two; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const format = (value: string | number | undefined): string => {
  if (value === undefined) {
    return '-';
  }
  if (typeof value === 'string') {
    return value;
  }
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
};

/** A table for people: columns in the order in which rows name them. */
export function formatTable(rows: readonly BenchRow[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => format(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const isNumeric = columns.map((column) => rows.every((row) => typeof row[column] !== 'string'));
  const lines = cells.map((line) =>
    line.map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  '),
  );
  return lines.map((line) => line.trimEnd()).join('\n');
}
