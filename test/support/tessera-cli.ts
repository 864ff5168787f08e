// Runs a command of the CLI in this process and keeps what it prints.

import { jest } from '@jest/globals';
import { runCommandLine } from '../../server/cli/program.ts';

export type CliResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** `tessera ARGS`: exit code and output. One at a time: it listens in on process.stdout and process.stderr. */
export async function tessera(...args: readonly string[]): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const out = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  const err = jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    stderr += String(chunk);
    return true;
  });
  try {
    const code = await runCommandLine(args);
    return { code, stdout, stderr };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}
