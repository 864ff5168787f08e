// npm run build: TypeScript of every room to dist/, the pages to dist/pages, the player for other people's pages to dist/player.
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';

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
for (const config of ['vite', 'vite.player']) {
  run('vite', ['build', '--config', `config/${config}.config.ts`, '--logLevel', 'warn']);
}
chmodSync('dist/server/main.js', 0o755);
