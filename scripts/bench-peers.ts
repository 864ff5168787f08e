// scripts/bench-peers: fetches the peers of the benchmarks that come from npm into the cache folder, at the versions that
// server/cli/bench/peers.ts names. They are no dependencies of the project; a benchmark names those that it does not find.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findPeer, peerFolder, PEERS, type PeerName } from '../server/cli/bench/peers.ts';

const USAGE = `scripts/bench-peers [name ...]      all when none is named
${Object.entries(PEERS)
  .map(([name, { version, use }]) => `  ${name} ${version}: ${use}`)
  .join('\n')}`;

const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tessera');
const known = Object.keys(PEERS) as PeerName[];
const asked = process.argv.slice(2);
if (asked.includes('--help') || asked.some((name) => !known.includes(name as PeerName))) {
  console.error(USAGE);
  process.exit(asked.includes('--help') ? 0 : 2);
}

let failed = 0;
for (const name of asked.length > 0 ? (asked as PeerName[]) : known) {
  if (findPeer(cacheDir, name) !== null) {
    console.error(`bench-peers: ${name} is there`);
    continue;
  }
  const folder = peerFolder(cacheDir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  console.error(`bench-peers: fetching ${name} ${PEERS[name].version} ...`);
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel',
    'error',
  ];
  const { status } = spawnSync('npm', [...args, `${name}@${PEERS[name].version}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0 || findPeer(cacheDir, name) === null) {
    console.error(`bench-peers: ${name} could not be fetched`);
    failed++;
  }
}
process.exit(failed > 0 ? 1 : 0);
