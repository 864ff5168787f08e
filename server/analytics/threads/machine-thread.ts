// Entry of an analytics thread: makes machines when told, and works on what it is sent, in order.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../../shared/assert.ts';
import { makeMachine } from '../machine-host.ts';
import type { PartitionMachine } from '../partition-machine.ts';
import { loadStreamJobs } from '../stream-job.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';

const { jobPaths, partitions } = workerData as ThreadData;
const port = parentPort;
assert(port !== null, 'this file is the entry of a worker thread');

const machines = new Map<number, PartitionMachine>();
const jobs = await loadStreamJobs(jobPaths);

function answer({ id, machine, request }: ToThread): FromThread {
  if (request.kind === 'open') {
    machines.set(
      machine,
      makeMachine(request, jobs, (topic) => partitions[topic] ?? 1),
    );
    return { id, done: true };
  }
  const found = machines.get(machine);
  assert(found !== undefined, 'a machine is opened before it is used');
  switch (request.kind) {
    case 'process':
      return { id, output: found.process(request.records), counters: found.counters() };
    case 'snapshot':
      return { id, state: found.snapshot() };
    case 'restore':
      found.restore(request.state);
      return { id, done: true };
    case 'release':
      machines.delete(machine);
      return { id, done: true };
  }
}

port.on('message', (message: ToThread) => {
  let reply: FromThread;
  try {
    reply = answer(message);
  } catch (error) {
    reply = { id: message.id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});
