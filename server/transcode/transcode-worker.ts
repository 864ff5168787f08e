// Worker entry: one source at a time, from messages to messages (worker-messages.ts). Warms the codec up before it says that it is
// ready. Started by worker-pool.ts; anything that throws here ends the worker, and the pool starts another.

import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { calibrate } from './calibration.ts';
import { KeyPictureDecoder } from './key-picture-decoder.ts';
import { productionCodecs } from './production-codecs.ts';
import { ThreadLane } from './rendition-lane.ts';
import { SourcePipeline, type PipelineEvents } from './source-pipeline.ts';
import { kernelThreadId, threadCpuMs } from './thread-cpu.ts';
import { BOARD, boardTime, PHASE, sharedNow, type FromWorker, type ToWorker } from './worker-messages.ts';

/** Given by worker-pool.ts. */
export type TranscodeWorkerData = {
  readonly board: SharedArrayBuffer;
  readonly decodeBudgetMs: number;
  readonly lateMs: number;
  /** Threads that this one may start to encode renditions beside it. */
  readonly lanes: number;
};

/** Measurements that make one `cost` message. */
const COST_BATCH = 30;

/** A lane that has not come up by then gets no rendition before it has. */
const LANE_START_MS = 2000;

const data = workerData as TranscodeWorkerData;
const board = new Int32Array(data.board);
const port = parentPort;
if (port === null) {
  throw new TypeError('transcode-worker runs as a worker thread only.');
}

Atomics.store(board, BOARD.threadId, kernelThreadId());

const lanes = Array.from({ length: data.lanes }, () => new ThreadLane());

let pipeline: SourcePipeline | null = null;
let keyPictures: KeyPictureDecoder | null = null;
const costs = new Map<string, number[]>();

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

const events: PipelineEvents = {
  onConfig: (name, config) => {
    send({ kind: 'config', name, config });
  },
  onUnit: (name, unit, stats) => {
    send({ kind: 'unit', name, unit, stats }, [unit.data.buffer as ArrayBuffer]);
  },
  onPicture: (picture) => {
    send({ kind: 'picture', picture });
  },
  onDropped: (reason) => {
    send({ kind: 'dropped', reason, count: 1 });
  },
  onCost: (work, { width, height }, ms) => {
    const key = `${work} ${width}x${height}`;
    const batch = costs.get(key) ?? [];
    batch.push(ms);
    costs.set(key, batch);
    if (batch.length >= COST_BATCH) {
      batch.sort((a, b) => a - b); // the median: collections and compilations are no cost of a picture
      send({ kind: 'cost', work, width, height, ms: batch[batch.length >> 1] ?? 0 });
      costs.delete(key);
    }
  },
  onUnsupported: (sentence) => {
    send({ kind: 'unsupported', sentence });
  },
  onDecoderDied: (sentence) => {
    send({ kind: 'decoder-died', sentence });
  },
};

const host = {
  codecs: productionCodecs,
  lanes,
  events,
  now: sharedNow,
  cpuNow: threadCpuMs,
  newestIndex: () => Atomics.load(board, BOARD.newest),
  onPhase: (phase: keyof typeof PHASE) => {
    Atomics.store(board, BOARD.since, boardTime(sharedNow()));
    Atomics.store(board, BOARD.sinceCpu, boardTime(threadCpuMs()));
    Atomics.store(board, BOARD.phase, PHASE[phase]);
  },
  decodeBudgetMs: data.decodeBudgetMs,
  lateMs: data.lateMs,
};

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'source':
      if (pipeline === null) {
        pipeline = new SourcePipeline(message.source, host);
      } else {
        pipeline.setSource(message.source);
      }
      break;
    case 'unit':
      pipeline?.push(message);
      send({ kind: 'taken' });
      break;
    case 'key-picture':
      keyPictures ??= new KeyPictureDecoder(host);
      send({ kind: 'key-picture', stream: message.stream, ...keyPictures.measure(message) });
      break;
    case 'add-rendition':
      pipeline?.addRendition(message.rendition);
      break;
    case 'remove-rendition':
      pipeline?.removeRendition(message.name);
      break;
    case 'keyframe':
      pipeline?.requestKeyframe(message.name);
      break;
    case 'reset':
      reset();
      break;
  }
}

/** A source that starts meanwhile is not touched: its pipeline is another one. */
function reset(): void {
  const closed = pipeline?.close() ?? Promise.resolve();
  pipeline = null;
  keyPictures?.close();
  keyPictures = null;
  costs.clear();
  void closed.then(() => {
    send({ kind: 'reset-done' });
  });
}

const calibration = calibrate(productionCodecs);
await Promise.race([Promise.all(lanes.map(({ started }) => started)), delay(LANE_START_MS)]); // they warm up at the same time
port.on('message', receive);
send({ kind: 'ready', calibration });
