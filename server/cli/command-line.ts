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

/** What the system says of a file, in words. */
const FILE_TROUBLE: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
};

/** One clear sentence for any failure. */
export function sentenceOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return String(error);
  }
  const { code, path, message } = error as NodeJS.ErrnoException;
  const trouble = FILE_TROUBLE[code ?? ''];
  if (trouble === undefined) {
    return message;
  }
  return path === undefined ? `A file cannot be used: ${trouble}.` : `${path} cannot be used: ${trouble}.`;
}

/** Prints one sentence on stderr and returns the exit code that belongs to the failure. */
export function reportFailure(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : 2; // commander has printed its own sentence
  }
  process.stderr.write(`tessera: ${sentenceOf(error)}\n`);
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
