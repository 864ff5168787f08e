// The semantics cases of Kafka Streams, Flink and Beam (test material), each through the engine's own API and through
// `tessera analyze`. The file says where each case comes from.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { analyze } from '../../../../server/cli/analyze.ts';
import type { Json } from '../../../../shared/windows/aggregates/aggregate.ts';
import { aggregateNamed } from '../../../../shared/windows/aggregates/named.ts';
import { createWindowOperator, type WindowOperatorOptions } from '../../../../shared/windows/window-operator.ts';
import { parseWindowSpec, type EmitMode, type Semantics } from '../../../../shared/windows/window.ts';
import { describeWith, materialDir } from '../../../support/requirements.ts';

type Row = { key: string; start: number; end: number; value: Json; ts: number };
type ByStart = { start: number; values: { value: Json; ts: number }[] };
type Step = { e?: [string, Json, number]; late?: [string, Json, number]; w?: number; out?: Json[][]; restore?: true };
type Case = {
  id: string;
  engine: string;
  aggregate?: string;
  window: Record<string, number | string> & { kind: string };
  input?: ([string, Json, number] | number)[];
  stepsData?: Step[];
  expected?: Row[];
  expectedFinalOnly?: Row[];
  expectedByStart?: ByStart[];
  expectedFinalByStart?: ByStart[];
  expectedState?: Omit<Row, 'ts'>[];
  expectedAssignment?: { start: number; end: number; timestamps: number[] }[];
  dropped?: { ts: number; start: number }[];
};
type Output = Partial<Row> & { late?: true; final?: boolean };
type Setup = {
  window: string;
  aggregate?: string;
  semantics: Semantics;
  emit: EmitMode;
  grace?: number;
  lateness?: number;
  trigger?: 'accumulating' | 'purging';
  flush?: boolean;
};
type Runner = (lines: object[], setup: Setup) => Promise<Output[]>;

const folder = mkdtempSync(join(tmpdir(), 'tessera-golden-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const throughEngine: Runner = (lines, setup) => {
  const out: Output[] = [];
  const options: WindowOperatorOptions<Json, unknown> = {
    window: parseWindowSpec(setup.window),
    aggregate: aggregateNamed(setup.aggregate ?? (setup.emit === 'assign' ? 'last' : 'count')).aggregate,
    semantics: setup.semantics,
    emit: setup.emit,
    grace: setup.grace ?? 0,
    lateness: setup.lateness ?? 0,
    trigger: setup.trigger ?? 'accumulating',
    onResult: (result) => out.push(result as Output),
    onLate: (late) => out.push({ late: true, ...late }),
  };
  let operator = createWindowOperator(options);
  for (const line of lines as (Row & { watermark?: number; restore?: true })[]) {
    if (line.watermark !== undefined) {
      operator.advance(line.watermark);
    } else if (line.restore) {
      const saved = JSON.parse(JSON.stringify(operator.snapshot())) as Json;
      operator = createWindowOperator(options);
      operator.restore(saved);
    } else {
      operator.push(line.key, line.value, line.ts);
    }
  }
  if (setup.flush || setup.emit === 'assign') {
    operator.flush();
  }
  return Promise.resolve(out);
};

const throughCommand: Runner = async (lines, setup) => {
  const input = join(folder, 'input.jsonl');
  writeFileSync(input, lines.map((line) => JSON.stringify(line)).join('\n'));
  let text = '';
  const { grace, lateness, aggregate, ...rest } = setup;
  await analyze(
    {
      trigger: 'accumulating',
      flush: false,
      ...rest,
      input,
      ...(aggregate === undefined ? {} : { aggregate }),
      ...(grace === undefined ? {} : { grace: `${grace}ms` }),
      ...(lateness === undefined ? {} : { lateness: String(lateness) }),
    },
    (piece) => (text += piece),
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Output);
};

function specOf({ kind, size, advance, offset, gap, timeDifference }: Case['window']): string {
  switch (kind) {
    case 'hopping':
      return `hopping:${size}/${advance}${offset === undefined ? '' : `+${offset}`}`;
    case 'session':
      return `session:${gap}`;
    case 'sliding':
      return `sliding:${timeDifference}`;
    default:
      return `${kind}:${size}`;
  }
}

function aggregateOf(text: string): string {
  if (text.startsWith('count') || text.startsWith('sum')) {
    return text.startsWith('count') ? 'count' : 'sum';
  }
  return text.includes('no init') ? 'concat' : text.includes('"0"') ? 'concat:0' : 'concat:';
}

const row = ({ key, start, end, value, ts }: Output) => ({ key, start, end, value, ts }) as Row;
const inOrder = <T>(rows: T[]): T[] => [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

function byStart(rows: Output[]): ByStart[] {
  const groups = new Map<number, { value: Json; ts: number }[]>();
  for (const { start, value, ts } of rows) {
    groups.set(start!, [...(groups.get(start!) ?? []), { value: value!, ts: ts! }]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([start, values]) => ({ start, values: inOrder(values) }));
}

async function checkKafka(golden: Case, run: Runner): Promise<void> {
  const lines = (golden.input as [string, Json, number][]).map(([key, value, ts]) => ({ key, value, ts }));
  const setup: Setup = {
    window: specOf(golden.window),
    aggregate: aggregateOf(golden.aggregate!),
    semantics: 'kafka',
    emit: 'update',
    grace: golden.window['grace'] as number,
  };
  const updates = await run(lines, setup);
  const finals = await run(lines, { ...setup, emit: 'final' });
  const results = updates.filter((output) => !output.late).map(row);
  const finalResults = finals.filter((output) => !output.late).map(row);
  let checked = 0;
  const check = (actual: unknown, expected: unknown): void => {
    checked++;
    expect(actual).toEqual(expected);
  };
  if (golden.expected && golden.window.kind === 'sliding') {
    check(inOrder(results), inOrder(golden.expected)); // that test sorts its own list
  } else if (golden.expected) {
    check(results, golden.expected);
  }
  if (golden.expectedFinalOnly) {
    check(finalResults, golden.expectedFinalOnly);
  }
  if (golden.expectedByStart) {
    check(
      byStart(results),
      golden.expectedByStart.map(({ start, values }) => ({ start, values: inOrder(values) })),
    );
    check(byStart(finalResults), golden.expectedFinalByStart);
  }
  if (golden.dropped) {
    const late = updates.filter((output) => output.late).map(({ ts, start }) => ({ ts, start }));
    check(
      late,
      golden.dropped.map(({ ts, start }) => ({ ts, start })),
    );
  }
  if (golden.expectedState) {
    const state = new Map(results.map((result) => [`${result.key} ${result.start} ${result.end}`, result]));
    check(
      [...state.values()]
        .filter(({ value }) => value !== null)
        .map(({ key, start, end, value }) => ({ key, start, end, value })),
      golden.expectedState,
    );
  }
  expect(checked).toBeGreaterThan(0);
}

async function checkFlink(golden: Case, run: Runner): Promise<void> {
  const lines: object[] = [];
  const expected: Json[][] = [];
  for (const step of golden.stepsData!) {
    const record = step.e ?? step.late;
    if (record) {
      lines.push({ key: record[0], value: record[1], ts: record[2] });
    } else {
      lines.push(step.restore ? { restore: true } : { watermark: step.w });
    }
    expected.push(...(step.out ?? []), ...(step.late ? [['late', ...step.late]] : []));
  }
  const outputs = await run(lines, {
    window: specOf(golden.window),
    aggregate: 'sum',
    semantics: 'flink',
    emit: 'final',
    lateness: golden.window['lateness'] as number,
    ...(golden.window['trigger'] === undefined ? {} : { trigger: 'purging' }),
  });
  const isSession = golden.window.kind === 'session';
  const rows = outputs.map(({ late, key, value, ts, start, end }) =>
    late ? ['late', key, value, ts] : isSession ? [key, value, start, end] : [key, value, ts],
  );
  expect(rows).toEqual(expected);
}

async function checkBeam(golden: Case, run: Runner): Promise<void> {
  const lines = (golden.input as number[]).map((ts) => ({ key: 'k', value: ts, ts }));
  const setup: Setup = { window: specOf(golden.window), semantics: 'beam', emit: 'assign' };
  const groups = new Map<string, { start: number; end: number; timestamps: number[] }>();
  for (const { start, end, ts } of await run(lines, setup)) {
    const group = groups.get(`${start}`) ?? { start: start!, end: end!, timestamps: [] };
    group.timestamps.push(ts!);
    groups.set(`${start}`, group);
  }
  expect([...groups.values()].sort((a, b) => a.start - b.start)).toEqual(golden.expectedAssignment);
  const collected = await run(lines, { ...setup, emit: 'final', aggregate: 'collect', flush: true });
  expect(collected.map(({ start, end, value }) => ({ start, end, timestamps: value }))).toEqual(
    golden.expectedAssignment,
  );
}

describeWith(['material'], 'window cases of other engines', () => {
  const { cases } = JSON.parse(readFileSync(join(materialDir, 'windows/window-cases.json'), 'utf8')) as {
    cases: Case[];
  };
  const runners: [string, Runner][] = [
    ['the engine', throughEngine],
    ['the command', throughCommand],
  ];
  describe.each(runners)('through %s', (_name, run) => {
    test.each(cases.map((golden) => [golden.id, golden] as const))('%s comes out as there', async (_id, golden) => {
      const check = { 'kafka-streams': checkKafka, flink: checkFlink, beam: checkBeam }[golden.engine]!;
      await check(golden, run);
    });
  });
});
