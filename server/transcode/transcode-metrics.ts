// What the transcode room shows in /metrics: refusals, drops by reason, restarts, and what runs now. Made by transcoder.ts.

import type { Counter } from 'prom-client';
import type { Metrics } from '../platform/metrics.ts';

export type TranscodeMetrics = {
  readonly dropped: Counter<'reason'>;
  readonly restarts: Counter;
  readonly refused: Counter;
  readonly skippedKeyPictures: Counter;
};

/** Values that are read when somebody asks. */
export type TranscodeGauges = {
  readonly usedCores: () => number;
  readonly allowedCores: () => number;
  readonly workers: () => number;
  readonly renditions: () => number;
};

export function createTranscodeMetrics(metrics: Metrics, gauges: TranscodeGauges): TranscodeMetrics {
  metrics.observe('transcode_cores_used', 'Cores that running renditions are estimated to use.', gauges.usedCores);
  metrics.observe('transcode_cores_allowed', 'Cores that renditions may use (transcode.maxCpu).', gauges.allowedCores);
  metrics.observe('transcode_workers', 'Transcode worker threads, idle ones included.', gauges.workers);
  metrics.observe('transcode_renditions', 'Renditions that are being made.', gauges.renditions);
  return {
    dropped: metrics.counter(
      'transcode_dropped_total',
      'Units that reached no encoder: queue (worker too slow), late (decoded too late), decoder (not decodable).',
      ['reason'],
    ),
    restarts: metrics.counter('transcode_restarts_total', 'Transcodes started again after a worker or decoder died.'),
    refused: metrics.counter('transcode_refused_total', 'Renditions refused for want of CPU.'),
    skippedKeyPictures: metrics.counter(
      'key_pictures_skipped_total',
      'Key pictures that were not looked at for health, since health.pictureCpu was used up.',
    ),
  };
}
