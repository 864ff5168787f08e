// Keeps this process's read models up to date from health.v1 and windows.v1. Runs in every process that answers the API, wherever
// analytics runs; without analytics nothing arrives and the read models say `unknown`.

import type { Logger } from '../platform/logger.ts';
import type { DataWindowsReadModel } from '../read-models/data-windows.ts';
import type { HealthReadModel } from '../read-models/health.ts';
import { POINT_MS, type HistoryPart, type HistoryReadModel } from '../read-models/history.ts';
import type { StoredRecord, TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';
import type { IngestWindow } from './jobs/ingest-job.ts';
import type { ViewerWindow } from './jobs/viewer-job.ts';
import { sourceTrack } from './health/rule.ts';
import type { WindowRecord } from './partition-worker.ts';

export type ReadModels = {
  readonly health: HealthReadModel;
  readonly history: HistoryReadModel;
  readonly data: DataWindowsReadModel;
};

export type FeedOptions = {
  readonly log: TelemetryLog;
  readonly readModels: ReadModels;
  readonly logger: Logger;
  /** Different in every process: each reads everything. */
  readonly node: string;
};

/** Records of a partition of windows.v1 that history starts from. */
const HISTORY_RECORDS = 100_000;

function historyPart(window: WindowRecord): HistoryPart | null {
  if (window.job === 'ingest') {
    const ingest = window as WindowRecord & IngestWindow;
    const track = sourceTrack(ingest);
    return track === null ? null : { bitrateKbps: track.bitrateKbps, fps: track.fps, complete: ingest.complete };
  }
  if (window.job === 'viewer') {
    const { latency, viewers } = window as WindowRecord & ViewerWindow;
    const { p50, p95 } = latency.glass.samples > 0 ? latency.glass : latency.ingest;
    return { viewers, latencyP50Ms: p50, latencyP95Ms: p95 };
  }
  return null;
}

const DATA_WINDOW = 'tessera.windows.data';

/** Windows that no read model keeps are nine of ten: they are told by their end and not parsed. */
function isKept({ timestamp, headers }: StoredRecord): boolean {
  return timestamp % POINT_MS === 0 || headers?.['ce_type'] === DATA_WINDOW;
}

function applyRecord({ health, history, data }: ReadModels, topic: string, record: StoredRecord): void {
  const { key, value } = record;
  if (topic === 'health') {
    health.apply(key, value === null ? null : JSON.parse(value));
    return;
  }
  if (value === null || !isKept(record)) {
    return;
  }
  const window = JSON.parse(value) as WindowRecord;
  if (window.job === 'data') {
    data.apply(key, window, value.length);
    return;
  }
  const part = window.start % POINT_MS === 0 ? historyPart(window) : null;
  if (part !== null) {
    history.apply(key, window.start, part);
  }
}

/** Starts following; resolves when it does. */
export async function startReadModelFeed({
  log,
  readModels,
  logger,
  node,
}: FeedOptions): Promise<{ close(): Promise<void> }> {
  const startOf = async (at: TopicPartition): Promise<number> => {
    const { earliest, end } = await log.bounds(at);
    return at.topic === 'health' ? earliest : Math.max(earliest, end - HISTORY_RECORDS);
  };
  return log.subscribe({
    group: `read-models-${node}`,
    topics: ['health', 'windows'],
    onAssigned: (partitions) => Promise.all(partitions.map(startOf)),
    onRevoked: () => Promise.resolve(),
    onBatch: (at, records) => {
      for (const record of records) {
        try {
          applyRecord(readModels, at.topic, record);
        } catch (error) {
          logger.warn({ error, ...at, offset: record.offset }, 'a record does not fit the read models');
        }
      }
      return Promise.resolve();
    },
  });
}
