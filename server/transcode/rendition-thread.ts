// Entry of a thread that encodes renditions beside a transcode worker: takes a picture, encodes it in each rendition that it was given,
// says that it is idle again. Started by rendition-lane.ts, and warm when it says so for the first time.

import { parentPort, workerData } from 'node:worker_threads';
import { packedI420 } from '../../shared/media/frame.ts';
import { calibrate } from './calibration.ts';
import { productionCodecs } from './production-codecs.ts';
import { RenditionEncoder, type RenditionOutput } from './rendition-encoder.ts';
import {
  type FromRenditionThread,
  LANE_BOARD,
  LANE_STATE,
  type RenditionThreadData,
  type ToRenditionThread,
} from './rendition-messages.ts';
import { kernelThreadId, threadCpuMs } from './thread-cpu.ts';
import { sharedNow } from './worker-messages.ts';

const { board: boardBuffer, port } = workerData as RenditionThreadData;
const board = new Int32Array(boardBuffer);
const renditions = new Map<string, RenditionEncoder>();

function send(message: FromRenditionThread, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function say(state: number): void {
  Atomics.store(board, LANE_BOARD.state, state);
  Atomics.notify(board, LANE_BOARD.state);
}

function add({ rendition }: ToRenditionThread & { kind: 'add' }): void {
  const { name } = rendition;
  const output: RenditionOutput = {
    onConfig: (config) => {
      send({ kind: 'config', name, config });
    },
    onUnit: (unit, stats) => {
      send({ kind: 'unit', name, unit, stats }, [unit.data.buffer as ArrayBuffer]);
    },
  };
  renditions.set(name, new RenditionEncoder(rendition, productionCodecs, output, sharedNow));
}

function encode({ picture, order }: ToRenditionThread & { kind: 'picture' }): void {
  const frame = packedI420(new Uint8Array(picture.samples), picture, picture);
  for (const rendition of renditions.values()) {
    const before = threadCpuMs();
    if (rendition.encode(frame, order)) {
      send({ kind: 'cost', ...rendition.size, ms: threadCpuMs() - before });
    }
  }
}

function receive(message: ToRenditionThread): void {
  switch (message.kind) {
    case 'add':
      add(message);
      break;
    case 'remove':
      renditions.get(message.name)?.close();
      renditions.delete(message.name);
      break;
    case 'keyframe':
      renditions.get(message.name)?.requestKeyframe();
      break;
    case 'picture':
      try {
        encode(message);
      } catch (error) {
        send({ kind: 'failed', sentence: error instanceof Error ? error.message : String(error) });
      } finally {
        say(LANE_STATE.idle);
      }
      break;
  }
}

Atomics.store(board, LANE_BOARD.threadId, kernelThreadId());
calibrate(productionCodecs); // for the just-in-time compiler
port.on('message', receive);
say(LANE_STATE.idle);
parentPort?.postMessage('ready');
