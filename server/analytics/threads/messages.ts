// What the owner of machines and their threads say to each other. Records are structured-cloned: text, not objects.

import type { Topic } from '../../../shared/telemetry/topics.ts';
import type { Json } from '../../../shared/windows/aggregates/aggregate.ts';
import type { StoredRecord } from '../../telemetry/telemetry-log.ts';
import type { MachineCounters, MachineOutput } from '../partition-machine.ts';

/** What a thread starts with. */
export type ThreadData = {
  readonly jobPaths: readonly string[];
  readonly partitions: Readonly<Partial<Record<Topic, number>>>;
};

export type MachineRequest =
  | { readonly kind: 'open'; readonly topic: Topic; readonly partition: number }
  | { readonly kind: 'process'; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'restore'; readonly state: Json }
  | { readonly kind: 'release' };

/** `machine` is the owner's number of the machine, `id` of the request. */
export type ToThread = { readonly id: number; readonly machine: number; readonly request: MachineRequest };

export type FromThread =
  | { readonly id: number; readonly output: MachineOutput; readonly counters: MachineCounters }
  | { readonly id: number; readonly state: Json }
  | { readonly id: number; readonly done: true }
  /** The request failed and the machine stays as it was. */
  | { readonly id: number; readonly error: string };
