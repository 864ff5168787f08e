// Runs one of our scripts in a process of its own, so that its start-up and its memory are its own, and reads the JSON that it prints.

import { fileURLToPath } from 'node:url';
import { runProgram } from './clips.ts';

const isSource = import.meta.url.endsWith('.ts');

/** `script`: its path from this folder, without an extension. Throws one sentence with its last words when it fails. */
export function runOwnScript(script: string, args: readonly string[]): unknown {
  const path = fileURLToPath(new URL(`${script}.${isSource ? 'ts' : 'js'}`, import.meta.url));
  return JSON.parse(runProgram(process.execPath, [...(isSource ? ['--import', 'tsx'] : []), path, ...args]));
}
