// `tessera analyze` beyond the cases of other engines: bad input, flags that contradict, control lines.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { analyze } from '../../../../server/cli/analyze.ts';
import { UsageError } from '../../../../server/cli/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'tessera-analyze-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defaults = {
  window: 'tumbling:10',
  semantics: 'kafka',
  emit: 'final',
  trigger: 'accumulating',
  flush: true,
} as const;

async function run(text: string, flags: Partial<Parameters<typeof analyze>[0]> = {}): Promise<unknown[]> {
  const input = join(folder, 'input.jsonl');
  writeFileSync(input, text);
  let output = '';
  await analyze({ ...defaults, ...flags, input }, (piece) => (output += piece));
  return output === ''
    ? []
    : output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
}

test('skips blank lines and reads numbers written as text', async () => {
  const rows = await run('{"key":"a","value":"1.5","ts":1}\n\n{"key":7,"value":2,"ts":3}\n', { aggregate: 'sum' });
  expect(rows).toEqual([
    { key: '7', start: 0, end: 10, value: 2, ts: 3, final: true },
    { key: 'a', start: 0, end: 10, value: 1.5, ts: 1, final: true },
  ]);
});

test('lets watermark lines move the clock instead of the records', async () => {
  const text =
    '{"key":"a","value":1,"ts":1}\n{"key":"a","value":1,"ts":99}\n{"key":"a","value":1,"ts":2}\n{"watermark":10}\n';
  const rows = await run(text, { flush: false });
  expect(rows).toEqual([{ key: 'a', start: 0, end: 10, value: 2, ts: 2, final: true }]);
});

test('shows assignments whatever watermarks and restarts lie between', async () => {
  const lines = [1, 15, 30, 100, 101, 95, 22, 10].map((ts) => `{"key":"k","value":${ts},"ts":${ts}}`);
  const text = [...lines.slice(0, 5), '{"watermark":1000}', '{"restore":true}', ...lines.slice(5)].join('\n');
  for (const semantics of ['flink', 'beam'] as const) {
    const rows = (await run(text, { window: 'session:10', semantics, emit: 'assign' })) as {
      start: number;
      end: number;
      ts: number;
    }[];
    expect(rows.map(({ start, end, ts }) => [ts, start, end])).toEqual(
      [1, 15, 30, 100, 101, 95, 22, 10].map((ts) => (ts < 50 ? [ts, 1, 40] : [ts, 95, 111])),
    );
  }
});

test.each([
  ['{"key":"a","value":1,"ts":1e300}', /Line 1 .*further from 1970/],
  ['{"key":"a","value":1,"ts":1}\nnonsense', /Line 2 .* not JSON/],
  ['{"key":"a","value":1}', /Line 1 .* no number "ts"/],
  ['{"watermark":"soon"}', /Line 1 .* the watermark "soon" is not a number/],
  ['{"value":1,"ts":1}', /Line 1 .* no "key"/],
  ['[1]', /no number "ts"/],
  ['5', /not a JSON object/],
])('says what is wrong with %j', async (text, sentence) => {
  await expect(run(text)).rejects.toThrow(sentence);
});

test('says which value is not a number', async () => {
  await expect(run('{"key":"a","value":"x","ts":1}', { aggregate: 'mean' })).rejects.toThrow(
    /Line 1.*"x" is not a number/,
  );
});

test('names an input that does not exist', async () => {
  await expect(analyze({ ...defaults, input: join(folder, 'none') }, () => undefined)).rejects.toThrow(
    /does not exist/,
  );
});

test.each([
  [{ window: 'rolling:3' }],
  [{ aggregate: 'median' }],
  [{ grace: 'soon' }],
  [{ semantics: 'flink', grace: '5' }],
  [{ lateness: '5' }],
  [{ trigger: 'purging' }],
  [{ semantics: 'beam', window: 'sliding:5' }],
  [{ grace: '-5' }],
  [{ window: 'hopping:5/10' }],
  [{ window: 'count:3', emit: 'assign' }],
  [{ window: 'hopping:1d/1ms' }],
  [{ aggregate: 'topk:0' }],
] as Partial<Parameters<typeof analyze>[0]>[][])('takes %j as wrong usage', async (flags) => {
  await expect(run('', flags)).rejects.toThrow(UsageError);
});
