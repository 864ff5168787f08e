// What ffprobe says about a file: an independent reader.

import { spawn } from 'node:child_process';

/** One packet; times in seconds. */
export type ProbedPacket = {
  readonly codec_type: 'video' | 'audio';
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly flags: string;
};

/** Runs a program to its end and returns its stdout. Rejects with its stderr when it fails. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) {
    throw new Error(`${program} failed (${code}): ${errors.slice(-500)}`);
  }
  return out;
}

/** The packets of a file in its order. */
export async function probePackets(path: string): Promise<ProbedPacket[]> {
  const args = ['-v', 'error', '-show_packets', '-of', 'json', path];
  return (JSON.parse(await run('ffprobe', args)) as { packets: ProbedPacket[] }).packets;
}
