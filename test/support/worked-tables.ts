// The worked tables of docs/analytics/windows.md: a command line in a fence, then a table whose rows are what arrives and whose last
// column is what comes out. Read from the page, so that the page cannot say anything else than the engine does.

import { aggregateNamed } from '../../shared/windows/aggregates/named.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import { createWindowOperator, type WindowOperator } from '../../shared/windows/window-operator.ts';
import {
  parseDuration,
  parseWindowSpec,
  type EmitMode,
  type LateRecord,
  type Semantics,
  type Trigger,
  type WindowResult,
} from '../../shared/windows/window.ts';

export type WorkedTable = {
  /** Flags of `tessera analyze`, without the command. */
  readonly flags: readonly string[];
  /** `# clock per key, bound 5`: a clock that only the API has, ms. */
  readonly perKeyBound: number | null;
  readonly rows: readonly WorkedRow[];
};

type WorkedRow = {
  /** What arrives, as a line of input; null at the end of the input. */
  readonly line: Readonly<Record<string, Json>> | null;
  /** What the page says comes out. */
  readonly comesOut: string;
};

const FENCED = /```sh\ntessera analyze ([^\n#]*?)(?:\s*#\s*(.*))?\n```\n\n((?:\|.*\n)+)/g;

const cellsOf = (line: string): string[] =>
  line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

const jsonOf = (text: string): Json => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : text);

function rowOf(names: readonly string[], cells: readonly string[]): WorkedRow {
  const cell = Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  const comesOut = cell['comes out'] ?? '';
  const arrives = cell['arrives'] ?? '';
  if (arrives === 'end of input') {
    return { line: null, comesOut };
  }
  if (arrives === 'restart') {
    return { line: { restore: true }, comesOut };
  }
  const watermark = /^watermark (-?\d+)$/.exec(arrives);
  if (watermark !== null) {
    return { line: { watermark: Number(watermark[1]) }, comesOut };
  }
  const ts = Number(cell['ts'] ?? 0);
  return { line: { key: cell['key'] ?? 'k', value: jsonOf(cell['value'] ?? '1'), ts }, comesOut };
}

/** Every worked table of a page. */
export function workedTables(page: string): WorkedTable[] {
  return [...page.replaceAll('\r', '').matchAll(FENCED)].map(([, flags = '', remark = '', table = '']) => {
    const [head = '', , ...lines] = table.trimEnd().split('\n');
    const names = cellsOf(head);
    const bound = /clock per key, bound (\d+)/.exec(remark);
    return {
      flags: flags.trim().split(/\s+/),
      perKeyBound: bound === null ? null : Number(bound[1]),
      rows: lines.map((line) => rowOf(names, cellsOf(line))),
    };
  });
}

type Output = Partial<WindowResult<unknown>> & { readonly late?: true };

/** `a [0, 10) = 3`, `late`, `late for [0, ...`: as the page writes it. `isInclusive`: the end belongs to the window. */
export function outputText(output: Output, isInclusive: boolean): string {
  if (output.late === true) {
    return output.start === undefined ? 'late' : `late from ${output.start}`;
  }
  const { key, start, end, value, partial } = output;
  const shown = Array.isArray(value)
    ? value.join(' ')
    : value === null
      ? 'withdrawn'
      : String(value as string | number);
  const bounds = `[${start}, ${end}${isInclusive ? ']' : ')'}`;
  return `${key} ${bounds} = ${shown}${partial === true ? ' (partial)' : ''}`;
}

/** The value of a flag, or the standard one. */
function flagOf(flags: readonly string[], name: string, standard: string): string {
  const at = flags.indexOf(`--${name}`);
  return at < 0 ? standard : (flags[at + 1] ?? '');
}

/** Whether windows of these flags hold their end. */
export function isEndInclusive(flags: readonly string[]): boolean {
  const { kind } = parseWindowSpec(flagOf(flags, 'window', ''));
  return kind === 'sliding' || (kind === 'session' && flagOf(flags, 'semantics', 'kafka') === 'kafka');
}

/** Plays a table through the engine: what comes out at each row. */
export function playTable({ flags, perKeyBound, rows }: WorkedTable): string[] {
  let out: string[] = [];
  const isInclusive = isEndInclusive(flags);
  const hasWatermarks = rows.some(({ line }) => line !== null && 'watermark' in line);
  const make = (): WindowOperator<Json> =>
    createWindowOperator<Json, unknown>({
      window: parseWindowSpec(flagOf(flags, 'window', '')),
      aggregate: aggregateNamed(flagOf(flags, 'aggregate', 'count')).aggregate,
      semantics: flagOf(flags, 'semantics', 'kafka') as Semantics,
      emit: flagOf(flags, 'emit', 'final') as EmitMode,
      trigger: flagOf(flags, 'trigger', 'accumulating') as Trigger,
      grace: parseDuration(flagOf(flags, 'grace', '0')),
      lateness: parseDuration(flagOf(flags, 'lateness', '0')),
      ...(hasWatermarks ? { clock: { kind: 'watermark' } } : {}),
      ...(perKeyBound === null
        ? {}
        : { clock: { kind: 'per-key', boundMs: perKeyBound, aheadMs: 2000, idleMs: 10_000 } }),
      onResult: (result) => out.push(outputText(result as Output, isInclusive)),
      onLate: (late: LateRecord<Json>) => out.push(outputText({ late: true, ...late } as Output, isInclusive)),
    });
  let operator = make();
  return rows.map(({ line }) => {
    out = [];
    if (line === null) {
      operator.flush();
    } else if ('restore' in line) {
      const saved = JSON.parse(JSON.stringify(operator.snapshot())) as Json;
      operator = make();
      operator.restore(saved);
    } else if ('watermark' in line) {
      operator.advance(line['watermark'] as number);
    } else {
      operator.push(line['key'] as string, line['value'] ?? null, line['ts'] as number);
    }
    return out.join('; ');
  });
}
