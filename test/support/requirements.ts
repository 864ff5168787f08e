// What a suite needs from the machine, and what happens where it is missing: the suite is not registered and one line says so,
// unless TESSERA_REQUIRE names the requirement: then its absence is a failing test.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from '@jest/globals';

export type Requirement = 'material' | 'kafka' | 'ffmpeg' | 'x264' | 'chromium';

/** Root of the test material: TESSERA_MATERIAL_DIR, else ../shared beside the project. */
export const materialDir = resolve(process.env['TESSERA_MATERIAL_DIR'] ?? '../shared');

/** Root of the conformance streams. */
export const conformanceDir = resolve(process.env['TESSERA_CONFORMANCE_DIR'] ?? `${materialDir}/conformance`);

const onPath = (program: string, flag: string): boolean => spawnSync(program, [flag], { stdio: 'ignore' }).status === 0;

const checks: Record<Requirement, { readonly isPresent: () => boolean; readonly how: string }> = {
  material: {
    isPresent: () => existsSync(`${conformanceDir}/dev/manifest.json`),
    how: 'set TESSERA_MATERIAL_DIR to the folder that holds conformance/, clips/ and windows/',
  },
  kafka: {
    isPresent: () => onPath('java', '-version') && onPath('mvn', '--version') && onPath('kcat', '-V'),
    how: 'install a Java 17 runtime, Maven and kcat',
  },
  ffmpeg: { isPresent: () => onPath('ffmpeg', '-version'), how: 'install ffmpeg' },
  x264: { isPresent: () => onPath('x264', '--version'), how: 'install x264' },
  chromium: { isPresent: () => existsSync(chromiumPath()), how: 'install chromium, or set CHROMIUM_PATH' },
};

/** Path of the browser under test. */
export function chromiumPath(): string {
  return process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
}

/** Registers `suite` where everything that it needs is present; else says loudly what is left out (or fails, see above). */
export function describeWith(needs: readonly Requirement[], name: string, suite: () => void): void {
  const missing = needs.filter((need) => !checks[need].isPresent());
  if (missing.length === 0) {
    describe(name, suite);
    return;
  }
  const required = (process.env['TESSERA_REQUIRE'] ?? '').split(',');
  const sentence = `${name}: not run, missing ${missing.map((need) => `${need} (${checks[need].how})`).join(', ')}`;
  if (missing.some((need) => required.includes(need))) {
    test(`${name} has what it requires`, () => {
      throw new Error(sentence);
    });
    return;
  }
  process.stderr.write(`NOT REGISTERED ${sentence}\n`);
  test.todo(sentence);
}
