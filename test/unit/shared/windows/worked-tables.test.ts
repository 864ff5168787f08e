// Every worked table of docs/analytics/windows.md, read from the page: through the engine row by row, and through `tessera analyze`.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { isEndInclusive, outputText, playTable, workedTables } from '../../../support/worked-tables.ts';
import { tessera } from '../../../support/tessera-cli.ts';

const page = readFileSync('docs/analytics/windows.md', 'utf8');
const tables = workedTables(page);
const folder = mkdtempSync(join(tmpdir(), 'tessera-worked-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the page has its tables', () => {
  expect(tables.length).toBe(page.split('```sh\ntessera analyze').length - 1);
  expect(tables.length).toBeGreaterThanOrEqual(12);
  expect(tables.flatMap(({ rows }) => rows).filter(({ comesOut }) => comesOut !== '').length).toBeGreaterThan(30);
});

describe.each(tables.map((table, i) => [`${i + 1}: ${table.flags.join(' ')}`, table] as const))(
  'worked table %s',
  (_, table) => {
    test('is what the engine gives', () => {
      expect(playTable(table)).toEqual(table.rows.map(({ comesOut }) => comesOut));
    });

    if (table.perKeyBound !== null) {
      return; // that clock is in the API only
    }
    test('is what the command prints', async () => {
      const input = join(folder, 'input.jsonl');
      const lines = table.rows.flatMap(({ line }) => (line === null ? [] : [JSON.stringify(line)]));
      writeFileSync(input, lines.join('\n'));
      const isFlushed = table.rows.some(({ line }) => line === null);
      const flags = table.flags.filter((flag) => flag !== '--flush');
      const result = await tessera('analyze', '--input', input, ...flags, ...(isFlushed ? ['--flush'] : []));
      const rows = result.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => outputText(JSON.parse(line) as Parameters<typeof outputText>[0], isEndInclusive(table.flags)));
      expect(rows).toEqual(table.rows.flatMap(({ comesOut }) => (comesOut === '' ? [] : comesOut.split('; '))));
    });
  },
);
