// npm run check: everything that must be green before a commit, in the order of how fast it fails. Stops at the first failure.
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['types', 'tsc', ['-b']],
  ['lint', 'eslint', ['.']],
  [
    'imports',
    'depcruise',
    [
      '--config',
      'config/dependency-cruiser.cjs',
      'shared',
      'server',
      'client',
      'test',
      'scripts',
      '--output-type',
      'err',
    ],
  ],
  ['public docs', 'typedoc', ['--options', 'config/typedoc.json', '--emit', 'none', '--logLevel', 'Warn']],
  ['links', 'tsx', ['scripts/check-docs-links.ts']],
  ['embedded kernels', 'tsx', ['scripts/build-kernels.ts', '--check']],
  ['dead code', 'knip', ['--config', 'config/knip.json', '--no-progress']],
  [
    'tests',
    'node',
    [
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--config',
      'config/jest.config.mjs',
      '--selectProjects',
      'unit',
      'kernels',
      'closed-loop',
      '--maxWorkers',
      '2',
      '--passWithNoTests',
    ],
  ],
];

const path = `${process.cwd()}/node_modules/.bin:${process.env.PATH ?? ''}`;
for (const [name, command, args] of steps) {
  const started = Date.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  if (status !== 0) {
    console.error(`check: ${name} failed (${[command, ...args].join(' ')})`);
    process.exit(1);
  }
  console.error(`check: ${name} ok, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
