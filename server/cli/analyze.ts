// `tessera analyze`: the window engine over a file of `{"key","value","ts"}` lines, one JSON line per result. The lines
// `{"watermark":T}` and `{"restore":true}` steer the clock and prove that state survives a restart.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import { aggregateNamed, type NamedAggregate } from '../../shared/windows/aggregates/named.ts';
import {
  createWindowOperator,
  type WindowOperator,
  type WindowOperatorOptions,
} from '../../shared/windows/window-operator.ts';
import {
  parseDuration,
  parseWindowSpec,
  type EmitMode,
  type LateRecord,
  type Semantics,
  type Trigger,
  type WindowResult,
} from '../../shared/windows/window.ts';
import { UsageError } from './command-line.ts';

type Flags = {
  readonly input: string;
  readonly window: string;
  readonly grace?: string;
  readonly lateness?: string;
  readonly trigger: Trigger;
  readonly semantics: Semantics;
  readonly emit: EmitMode;
  readonly flush: boolean;
  readonly aggregate?: string;
};

type Line =
  | { readonly kind: 'record'; readonly key: string; readonly value: Json; readonly ts: number }
  | { readonly kind: 'watermark'; readonly at: number }
  | { readonly kind: 'restore' };

/** What the window engine takes as a time, ms. */
const MAX_TIME = 8.64e15;

/** Turns what the flags say into usage errors instead of failures. */
function fromFlag<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function parseLine(text: string, number: number): Line {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`Line ${number} of the input is not JSON.`);
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw new Error(`Line ${number} of the input is not a JSON object.`);
  }
  const { key, value, ts, watermark, restore } = parsed as Record<string, unknown>;
  if (typeof watermark === 'number') {
    return { kind: 'watermark', at: watermark };
  }
  if (watermark !== undefined && ts === undefined) {
    throw new Error(`Line ${number} of the input: the watermark ${JSON.stringify(watermark)} is not a number.`);
  }
  if (restore === true) {
    return { kind: 'restore' };
  }
  if (typeof ts !== 'number') {
    throw new Error(`Line ${number} of the input has no number "ts".`);
  }
  if (Math.abs(ts) > MAX_TIME) {
    throw new Error(`Line ${number} of the input: the time ${ts} is further from 1970 than ${MAX_TIME} ms.`);
  }
  if (typeof key !== 'string' && typeof key !== 'number') {
    throw new Error(`Line ${number} of the input has no "key".`);
  }
  return { kind: 'record', key: String(key), value: (value ?? null) as Json, ts };
}

/** The value as the aggregate takes it: text that is a number counts as one. */
function valueFor(named: NamedAggregate, value: Json, number: number): Json {
  if (!named.needsNumbers) {
    return value;
  }
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof amount !== 'number' || !Number.isFinite(amount)) {
    throw new Error(
      `Line ${number} of the input: the value ${JSON.stringify(value)} is not a number, which the aggregate needs.`,
    );
  }
  return amount;
}

async function* linesOf(path: string): AsyncGenerator<{ text: string; number: number }> {
  const stream = createReadStream(path, 'utf8');
  let number = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
    number++;
    if (text.trim() !== '') {
      yield { text, number };
    }
  }
}

/** Whether the input moves the clock itself: then records do not. */
async function hasWatermarks(path: string): Promise<boolean> {
  for await (const { text, number } of linesOf(path)) {
    if (text.includes('"watermark"') && parseLine(text, number).kind === 'watermark') {
      return true;
    }
  }
  return false;
}

function operatorOptions(flags: Flags, named: NamedAggregate, isExplicit: boolean, write: (line: string) => void) {
  const onResult = ({ key, start, end, value, ts, final, partial }: WindowResult<unknown>): void =>
    write(JSON.stringify({ key, start, end, value, ts, final, ...(partial === true ? { partial } : {}) }));
  const onLate = ({ key, value, ts, start }: LateRecord<Json>): void =>
    write(JSON.stringify({ late: true, key, value, ts, ...(start === undefined ? {} : { start }) }));
  return fromFlag((): WindowOperatorOptions<Json, unknown> => ({
    window: parseWindowSpec(flags.window),
    aggregate: named.aggregate,
    semantics: flags.semantics,
    grace: flags.grace === undefined ? 0 : parseDuration(flags.grace),
    lateness: flags.lateness === undefined ? 0 : parseDuration(flags.lateness),
    trigger: flags.trigger,
    emit: flags.emit,
    ...(isExplicit ? { clock: { kind: 'watermark' } } : {}),
    onResult,
    onLate,
  }));
}

async function run(path: string, flags: Flags, write: (line: string) => void): Promise<void> {
  // Assignment without an aggregate shows the records themselves.
  const named = fromFlag(() => aggregateNamed(flags.aggregate ?? (flags.emit === 'assign' ? 'last' : 'count')));
  const options = operatorOptions(flags, named, await hasWatermarks(path), write);
  const make = (): WindowOperator<Json> => fromFlag(() => createWindowOperator(options));
  let operator = make();
  for await (const { text, number } of linesOf(path)) {
    const line = parseLine(text, number);
    if (line.kind === 'record') {
      operator.push(line.key, valueFor(named, line.value, number), line.ts);
    } else if (line.kind === 'watermark') {
      operator.advance(line.at);
    } else {
      const saved = JSON.stringify(operator.snapshot());
      operator = make();
      operator.restore(JSON.parse(saved) as Json);
    }
  }
  if (flags.flush || flags.emit === 'assign') {
    operator.flush();
  }
}

async function withInput(input: string, use: (path: string) => Promise<void>): Promise<void> {
  if (input !== '-') {
    return use(input);
  }
  const folder = await mkdtemp(join(tmpdir(), 'tessera-analyze-'));
  try {
    const path = join(folder, 'input.jsonl');
    await pipeline(process.stdin, createWriteStream(path));
    await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the command; results go to `output`. */
export async function analyze(flags: Flags, output: (text: string) => void): Promise<void> {
  let pending: string[] = [];
  const write = (line: string): void => {
    pending.push(line);
    if (pending.length >= 512) {
      output(`${pending.join('\n')}\n`);
      pending = [];
    }
  };
  try {
    await withInput(flags.input, (path) => run(path, flags, write));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error(`The input file ${flags.input} does not exist.`, { cause: error });
    }
    throw error;
  } finally {
    if (pending.length > 0) {
      output(`${pending.join('\n')}\n`);
    }
  }
}

/** Adds `analyze` to the program. */
export function registerAnalyze(program: Command): void {
  program
    .command('analyze')
    .description('run event-time windows over {"key","value","ts"} lines')
    .requiredOption('--input <file>', 'JSON lines in order of arrival, - for stdin')
    .requiredOption(
      '--window <spec>',
      'tumbling:SIZE | hopping:SIZE/ADVANCE[+OFFSET] | sliding:SIZE | session:GAP | count:N[/ADVANCE]',
    )
    .option('--aggregate <name>', 'count (default) sum mean min max first last rate collect concat[:INIT] topk:N pNN')
    .addOption(new Option('--semantics <engine>', 'whose rules').choices(['kafka', 'flink', 'beam']).default('kafka'))
    .addOption(
      new Option('--emit <mode>', 'when results come out').choices(['final', 'update', 'assign']).default('final'),
    )
    .option('--grace <time>', 'kafka: how long a window waits after its end')
    .option('--lateness <time>', 'flink, beam: how long a fired window takes late records')
    .addOption(
      new Option('--trigger <kind>', 'flink, beam: what is kept after firing')
        .choices(['accumulating', 'purging'])
        .default('accumulating'),
    )
    .option('--flush', 'close every window at the end of the input', false)
    .option('--json', 'accepted; the output is JSON lines in any case')
    .action(async (flags: Flags) => {
      await analyze(flags, (text) => process.stdout.write(text));
    });
}
