// npm run check: everything that must be green before a commit. The checks of the text run two at a time, since linting takes as long as
// all others together; then the tests. Stops at the first failure.
import { spawn } from 'node:child_process';

const AT_A_TIME = 2;

const rooms = ['shared', 'server', 'client', 'test', 'scripts'];

const textChecks = [
  ['types', 'tsc', ['-b']],
  ['lint', 'eslint', ['.']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['imports', 'depcruise', ['--config', 'config/dependency-cruiser.cjs', ...rooms, '--output-type', 'err']],
  ['links', 'tsx', ['scripts/check-docs-links.ts']],
  ['dead code', 'knip', ['--config', 'config/knip.json', '--no-progress']],
  ['public docs', 'typedoc', ['--options', 'config/typedoc.json', '--emit', 'none', '--logLevel', 'Warn']],
  ['embedded kernels', 'tsx', ['scripts/build-kernels.ts', '--check']],
];

const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', 'config/jest.config.mjs'];
const projects = ['--selectProjects', 'unit', 'kernels', 'closed-loop', '--maxWorkers', '2', '--passWithNoTests'];

const env = { ...process.env, PATH: `${process.cwd()}/node_modules/.bin:${process.env.PATH ?? ''}` };
const running = new Set();

/** Runs one check; what it printed is shown when it ends, so that two at a time do not mix, but for `stdio` inherit. */
function run([name, command, args], stdio) {
  const started = Date.now();
  const child = spawn(command, args, { stdio: ['inherit', stdio, stdio], env });
  running.add(child);
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    const end = (reason) => {
      running.delete(child);
      process.stderr.write(Buffer.concat(output));
      if (reason === 0) {
        console.error(`check: ${name} ok, ${((Date.now() - started) / 1000).toFixed(1)} s`);
        resolve();
        return;
      }
      console.error(`check: ${name} failed, ${reason} (${[command, ...args].join(' ')})`);
      for (const other of running) {
        other.kill();
      }
      process.exit(1);
    };
    child.once('error', ({ message }) => end(message));
    child.once('close', (code, signal) => end(code ?? signal));
  });
}

const waiting = [...textChecks];
async function runWaiting() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    await run(check, 'pipe');
  }
}
await Promise.all(Array.from({ length: AT_A_TIME }, runWaiting));
await run(['tests', 'node', [...jest, ...projects]], 'inherit');
