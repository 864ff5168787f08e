// kcat's mock cluster: librdkafka's own implementation of the broker's side of the protocol, independent of Apache's.

import { spawn } from 'node:child_process';
import { eventually } from './eventually.ts';

export type MockCluster = { readonly bootstrap: string; stop(): Promise<void> };

/** Starts a mock cluster of that many brokers with one topic, and waits until it says where it listens. */
export async function startMockCluster(brokers: number, topic: string): Promise<MockCluster> {
  const args = ['-P', '-b', 'mock', '-t', topic, '-X', `test.mock.num.brokers=${brokers}`, '-d', 'mock'];
  const child = spawn('kcat', args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (piece: Buffer) => (log += piece.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.write('warm\n'); // makes the topic; the pipe stays open, and with it the cluster
  const bootstrap = await eventually(
    'the mock cluster',
    () => /bootstrap\.servers=([0-9.:,]+)/.exec(log)?.[1] ?? null,
    20_000,
  );
  return {
    bootstrap,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}
