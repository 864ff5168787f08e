// npm run build: TypeScript of every room to dist/, the pages to dist/pages, and the files that the server reads at run time.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';

const path = `${process.cwd()}/node_modules/.bin:${process.env.PATH ?? ''}`;

/** Runs one step and stops the build when it fails. */
function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  if (status !== 0) {
    console.error(`build: ${[command, ...args].join(' ')} failed`);
    process.exit(1);
  }
}

run('tsc', ['-b']);
if (existsSync('config/vite.config.ts')) {
  run('vite', ['build', '--config', 'config/vite.config.ts', '--logLevel', 'warn']);
}
chmodSync('dist/server/main.js', 0o755);
