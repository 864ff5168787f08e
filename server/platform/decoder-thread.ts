// Entry of the decoder's second thread in Node: passes the messages of node-thread-host.ts on to the thread's program.

import { parentPort } from 'node:worker_threads';
import { createDecoderThread } from '../../shared/codec/h264/threads/decoder-thread.ts';

const main = createDecoderThread();
parentPort?.on('message', (message: unknown) => {
  main(message, (answer) => parentPort?.postMessage(answer));
});
// NodeThreadHost.prepare waits for it
parentPort?.postMessage('loaded');
