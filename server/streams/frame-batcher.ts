// Telemetry tap of one track: 250-500 ms of frames per record, as columns, to the Reporter. Never waits.

import { isSilentAudio } from '../../shared/bitstream/silent-audio.ts';
import type { AccessUnit, TrackConfig } from '../../shared/media/access-unit.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { EncodeStats } from './roles.ts';

const MIN_SPAN_MS = 250;
const MAX_SPAN_MS = 500;
/** A record stays small whatever the frame rate: a faster source gives more records. */
const MAX_FRAMES = 512;

/** Columns that only some frames have: told when all frames of the batch have them. */
const SOME = ['encodeMs', 'qp', 'queueMs', 'decodeMs', 'scaleMs', 'captureMs', 'silent'] as const;
type Columns = Record<'arrivalMs' | 'ptsMs' | 'bytes' | 'key' | (typeof SOME)[number], number[]>;

const emptyColumns = (): Columns => ({
  arrivalMs: [],
  ptsMs: [],
  bytes: [],
  key: [],
  encodeMs: [],
  qp: [],
  queueMs: [],
  decodeMs: [],
  scaleMs: [],
  captureMs: [],
  silent: [],
});

const tenths = (value: number): number => Math.round(value * 10) / 10;

export class FrameBatcher {
  private readonly reporter: Reporter;
  private readonly stream: string;
  private readonly track: string;
  private codec = '';
  private columns = emptyColumns();
  private startMs = 0;

  constructor(reporter: Reporter, stream: string, track: string) {
    this.reporter = reporter;
    this.stream = stream;
    this.track = track;
  }

  add(unit: AccessUnit, config: TrackConfig, stats?: EncodeStats): void {
    const arrivalMs = unit.arrivalTime / 1000;
    this.codec = config.codec;
    if (this.columns.bytes.length === 0) {
      this.startMs = Math.floor(arrivalMs);
    }
    const { columns } = this;
    columns.arrivalMs.push(Math.max(0, tenths(arrivalMs - this.startMs)));
    columns.ptsMs.push(Math.round(unit.pts) / 1000);
    columns.bytes.push(unit.data.length);
    columns.key.push(unit.priority === 'key' ? 1 : 0);
    if (stats !== undefined) {
      columns.encodeMs.push(Math.max(0, stats.encodeMs));
      columns.qp.push(stats.qp);
      for (const name of ['queueMs', 'decodeMs', 'scaleMs'] as const) {
        const ms = stats[name];
        if (ms !== undefined) {
          columns[name].push(Math.max(0, tenths(ms)));
        }
      }
    }
    if (unit.captureTime !== undefined) {
      columns.captureMs.push(tenths((unit.arrivalTime - unit.captureTime) / 1000));
    }
    const isSilent = config.kind === 'audio' ? isSilentAudio(config.codec, unit.data) : null;
    if (isSilent !== null) {
      columns.silent.push(isSilent ? 1 : 0);
    }
    if (arrivalMs - this.startMs >= MIN_SPAN_MS || columns.bytes.length >= MAX_FRAMES) {
      this.flush();
    }
  }

  /** Called regularly: a batch never waits longer than 500 ms. */
  tick(epochMs: number): void {
    if (this.columns.bytes.length > 0 && epochMs - this.startMs >= MAX_SPAN_MS) {
      this.flush();
    }
  }

  flush(): void {
    const { columns } = this;
    const frames = columns.bytes.length;
    if (frames === 0) {
      return;
    }
    this.columns = emptyColumns();
    const { arrivalMs, ptsMs, bytes, key } = columns;
    const whole = SOME.filter((name) => columns[name].length === frames).map((name) => [name, columns[name]] as const);
    this.reporter.report({
      type: 'frames',
      topic: 'ingest',
      stream: this.stream,
      track: this.track,
      codec: this.codec,
      ts: this.startMs,
      arrivalMs,
      ptsMs,
      bytes,
      key,
      ...Object.fromEntries(whole),
    });
  }
}
