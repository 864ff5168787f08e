// Crash-safe state of a partition in state.v1: chunks of a snapshot, then a manifest that names them, their checksum and the input
// offset that they belong to. State and offset are thus one fact. Two sets of chunks take turns, so that a crash while writing one
// leaves the other whole; an owner claims its partition with an epoch, and the highest epoch's manifest wins over a zombie's.
// Keys: GROUP/TOPIC-PARTITION/EPOCH/CHUNK, the manifest's chunk is `manifest`; GROUP/TOPIC-PARTITION/claim.

import { createHash } from 'node:crypto';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import type { LogRecord, StoredRecord, TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';

export type Checkpoint = {
  /** The first input record that is not in the state. */
  readonly offset: number;
  readonly state: Json;
};

/** What is known of a partition when it becomes ours. */
export type Claim = {
  readonly epoch: number;
  readonly checkpoint: Checkpoint | null;
  readonly brokenManifests: number;
};

type Manifest = {
  readonly v: 1;
  readonly epoch: number;
  readonly offset: number;
  readonly chunks: readonly string[];
  readonly sha256: string;
};

const CHUNK_CHARACTERS = 200_000;
const READ_RECORDS = 500;

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

export class Checkpoints {
  private readonly log: TelemetryLog;
  private readonly group: string;
  private readonly owner: string;

  /** `owner`: who we are, for people who read the claims. */
  constructor(log: TelemetryLog, group: string, owner: string) {
    this.log = log;
    this.group = group;
    this.owner = owner;
  }

  private name({ topic, partition }: TopicPartition): string {
    return `${this.group}/${topic}-${partition}`;
  }

  /** Takes partitions over: next epoch, newest whole checkpoint. Reads the state topic once for all of them. */
  async claim(partitions: readonly TopicPartition[]): Promise<Claim[]> {
    const records = await this.readState(new Set(partitions.map((at) => this.name(at))));
    const claims = partitions.map((at) => this.claimOf(records, this.name(at)));
    await this.log.append(
      'state',
      partitions.map((at, i) => ({
        key: `${this.name(at)}/claim`,
        value: JSON.stringify({ v: 1, epoch: claims[i]?.epoch ?? 1, owner: this.owner }),
        timestamp: 0,
        partitionKey: this.name(at),
      })),
    );
    return claims;
  }

  private claimOf(records: ReadonlyMap<string, string>, name: string): Claim {
    let epoch = 0;
    const manifests: Manifest[] = [];
    for (const [key, value] of records) {
      if (key === `${name}/claim`) {
        epoch = Math.max(epoch, (JSON.parse(value) as { epoch: number }).epoch);
      } else if (key.startsWith(`${name}/`) && key.endsWith('/manifest')) {
        manifests.push(JSON.parse(value) as Manifest);
      }
    }
    manifests.sort((a, b) => b.epoch - a.epoch);
    epoch = Math.max(epoch, manifests.at(0)?.epoch ?? 0);
    let brokenManifests = 0;
    for (const manifest of manifests) {
      const text = manifest.chunks.map((chunk) => records.get(`${name}/${manifest.epoch}/${chunk}`) ?? '').join('');
      if (checksum(text) === manifest.sha256) {
        const checkpoint = { offset: manifest.offset, state: JSON.parse(text) as Json };
        return { epoch: epoch + 1, checkpoint, brokenManifests };
      }
      brokenManifests++;
    }
    return { epoch: epoch + 1, checkpoint: null, brokenManifests };
  }

  private async readState(names: ReadonlySet<string>): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let partition = 0; partition < this.log.partitions('state'); partition++) {
      let offset = 0;
      for (;;) {
        const records: readonly StoredRecord[] = await this.log.read(
          { topic: 'state', partition },
          offset,
          READ_RECORDS,
        );
        const last = records.at(-1);
        if (last === undefined) {
          break;
        }
        offset = last.offset + 1;
        for (const { key, value } of records) {
          if (!names.has(key.split('/').slice(0, 2).join('/'))) {
            continue;
          }
          if (value === null) {
            found.delete(key);
          } else {
            // Chunks are stored as JSON strings, so that the topic stays readable by any tool.
            found.set(key, key.endsWith('/manifest') || key.endsWith('/claim') ? value : (JSON.parse(value) as string));
          }
        }
      }
    }
    return found;
  }

  /** Writes a checkpoint. `turn` alternates with every checkpoint of an epoch. Returns its size in characters. */
  async save(at: TopicPartition, epoch: number, turn: number, checkpoint: Checkpoint): Promise<number> {
    const name = this.name(at);
    const text = JSON.stringify(checkpoint.state);
    const chunks: string[] = [];
    const records: LogRecord[] = [];
    const put = (chunk: string, value: string): void => {
      records.push({ key: `${name}/${epoch}/${chunk}`, value, timestamp: checkpoint.offset, partitionKey: name });
    };
    for (let from = 0; from < text.length; from += CHUNK_CHARACTERS) {
      const chunk = `${turn % 2 === 0 ? 'a' : 'b'}${chunks.length}`;
      chunks.push(chunk);
      put(chunk, JSON.stringify(text.slice(from, from + CHUNK_CHARACTERS)));
    }
    const manifest: Manifest = { v: 1, epoch, offset: checkpoint.offset, chunks, sha256: checksum(text) };
    put('manifest', JSON.stringify(manifest));
    await this.log.append('state', records);
    return text.length;
  }

  /** Removes what older owners left, once our own first checkpoint is there. */
  async forgetOlder(at: TopicPartition, epoch: number): Promise<void> {
    const name = this.name(at);
    const older = [...(await this.readState(new Set([name]))).keys()].filter((key) => {
      const of = Number(key.split('/')[2]);
      return Number.isInteger(of) && of < epoch;
    });
    await this.log.append(
      'state',
      older.map((key) => ({ key, value: null, timestamp: 0, partitionKey: name })),
    );
  }
}
