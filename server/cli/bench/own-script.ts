// Runs one of our scripts in a process of its own, so that its start-up and its memory are its own, and reads the JSON that it prints.

import { fileURLToPath } from 'node:url';
import { runProgram } from './clips.ts';

const isSource = import.meta.url.endsWith('.ts');

/** The command line of a script; `script`: its path from this folder, without an extension. */
export function ownScript(script: string): [program: string, ...args: string[]] {
  const path = fileURLToPath(new URL(`${script}.${isSource ? 'ts' : 'js'}`, import.meta.url));
  return [process.execPath, ...(isSource ? ['--import', 'tsx'] : []), path];
}

/** Runs it to its end. Throws one sentence with its last words when it fails. */
export function runOwnScript(script: string, args: readonly string[]): unknown {
  const [program, ...own] = ownScript(script);
  return JSON.parse(runProgram(program, [...own, ...args]));
}
