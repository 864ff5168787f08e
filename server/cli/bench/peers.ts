// The codecs from npm that the benchmarks run beside ours: versions and where the cache keeps them. `scripts/bench-peers` fetches
// them; the benchmarks only look.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

type Peer = { readonly version: string; readonly use: string };

/** Package name -> version and what it is a peer for. */
export const PEERS = {
  '@ffmpeg/core': { version: '0.12.10', use: 'ffmpeg compiled to WASM (decode, encode)' },
  tinyh264: { version: '0.0.7', use: 'a Baseline decoder in WASM (decode)' },
  'h264-mp4-encoder': { version: '1.0.12', use: 'minih264 in WASM (encode)' },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;

/** The folder that a peer is installed under. */
export function peerFolder(cacheDir: string, name: PeerName): string {
  return join(cacheDir, 'peers', `${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${PEERS[name].version}`);
}

/** The folder of the installed package itself, or null when it has not been fetched. */
export function findPeer(cacheDir: string, name: PeerName): string | null {
  const folder = join(peerFolder(cacheDir, name), 'node_modules', name);
  return existsSync(join(folder, 'package.json')) ? folder : null;
}

/** The sentence for the notes of a benchmark that lacks a peer. */
export function missingPeer(name: PeerName): string {
  return `${name} ${PEERS[name].version} was not found (scripts/bench-peers fetches it): not in this run.`;
}
