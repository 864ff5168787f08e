// What every command shares: the usage error, and how results and failures are printed.

import { CommanderError, InvalidArgumentError } from 'commander';

/** Wrong usage or configuration: exit code 2. The message is one clear sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Prints the one JSON document of `--json` on stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Prints one sentence on stderr and returns the exit code that belongs to the failure. */
export function reportFailure(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : 2; // commander has printed its own sentence
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`tessera: ${message}\n`);
  return error instanceof UsageError ? 2 : 1;
}

/** Option parser: a whole number within [low, high]. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** Option parser: a finite number within [low, high]. */
export function finiteNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high) {
      throw new InvalidArgumentError(`Give a number from ${low} to ${high}.`);
    }
    return value;
  };
}
