// Entry of a worker thread that codes slices for an H264Encoder. Started by NodeThreadHost.

import { parentPort } from 'node:worker_threads';
import { runEncoderThread } from '../../shared/codec/h264/encoder/slice-thread.ts';

parentPort?.on('message', (message: unknown) => {
  runEncoderThread(message, (answer) => parentPort?.postMessage(answer));
});
