// The command table: each command registers itself from a file of its own name. Called by main.ts and by CLI tests.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { reportFailure } from './command-line.ts';

type Register = (program: Command) => void;

/** Every command in the order of `tessera --help`; only the one that is asked for is loaded, so that each starts quickly. */
const commands: Readonly<Record<string, () => Promise<Register>>> = {
  serve: async () => (await import('./serve.ts')).registerServe,
  encode: async () => (await import('./encode.ts')).registerEncode,
  decode: async () => (await import('./decode.ts')).registerDecode,
  probe: async () => (await import('./probe.ts')).registerProbe,
  publish: async () => (await import('./publish.ts')).registerPublish,
  watch: async () => (await import('./watch.ts')).registerWatch,
  analyze: async () => (await import('./analyze.ts')).registerAnalyze,
  'verify-replay': async () => (await import('./verify-replay.ts')).registerVerifyReplay,
  forget: async () => (await import('./forget.ts')).registerForget,
  capacity: async () => (await import('./capacity.ts')).registerCapacity,
  bench: async () => (await import('./bench.ts')).registerBench,
};

/** Version of the package, from the package.json above this file (source tree and dist alike). */
function packageVersion(): string {
  for (const candidate of ['../../package.json', '../../../package.json']) {
    try {
      const parsed = JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (parsed.name === 'tessera-live' && parsed.version !== undefined) {
        return parsed.version;
      }
    } catch {
      continue; // dist/ lies one level deeper than the source
    }
  }
  return 'unknown';
}

/** Parses the arguments (without node and script), runs the command, returns the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('tessera')
    .description('Live-streaming media server with its own H.264 codec, WebSocket fan-out and event-time telemetry.')
    .version(packageVersion(), '--version')
    .showHelpAfterError('(tessera COMMAND --help lists the flags)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tessera: ')) })
    .exitOverride();
  const only = commands[args[0] ?? ''];
  for (const load of only === undefined ? Object.values(commands) : [only]) {
    (await load())(program);
  }
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return 2;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportFailure(error);
  }
}
