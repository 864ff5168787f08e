// Telemetry tap of one track: 250-500 ms of frames per record, as columns, to the Reporter. Never waits.

import type { AccessUnit } from '../../shared/media/access-unit.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';

const MIN_SPAN_MS = 250;
const MAX_SPAN_MS = 500;
/** A record stays small whatever the frame rate: a faster source gives more records. */
const MAX_FRAMES = 512;

/** What our encoder knows about a frame that it made. */
export type EncodeStats = { readonly encodeMs: number; readonly qp: number };

type Columns = Record<'arrivalMs' | 'ptsMs' | 'bytes' | 'key' | 'encodeMs' | 'qp', number[]>;

const emptyColumns = (): Columns => ({ arrivalMs: [], ptsMs: [], bytes: [], key: [], encodeMs: [], qp: [] });

export class FrameBatcher {
  private readonly reporter: Reporter;
  private readonly stream: string;
  private readonly track: string;
  private readonly codec: () => string | undefined;
  private columns = emptyColumns();
  private startMs = 0;

  /** `codec`: the track's codec now, where it is known. */
  constructor(reporter: Reporter, stream: string, track: string, codec: () => string | undefined = () => undefined) {
    this.reporter = reporter;
    this.stream = stream;
    this.track = track;
    this.codec = codec;
  }

  add(unit: AccessUnit, stats?: EncodeStats): void {
    const arrivalMs = unit.arrivalTime / 1000;
    if (this.columns.bytes.length === 0) {
      this.startMs = Math.floor(arrivalMs);
    }
    const { columns } = this;
    columns.arrivalMs.push(Math.max(0, Math.round((arrivalMs - this.startMs) * 10) / 10));
    columns.ptsMs.push(Math.round(unit.pts) / 1000);
    columns.bytes.push(unit.data.length);
    columns.key.push(unit.priority === 'key' ? 1 : 0);
    if (stats !== undefined) {
      columns.encodeMs.push(Math.max(0, stats.encodeMs));
      columns.qp.push(stats.qp);
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
    const { encodeMs, qp, ...columns } = this.columns;
    if (columns.bytes.length === 0) {
      return;
    }
    this.columns = emptyColumns();
    const codec = this.codec();
    this.reporter.report({
      type: 'frames',
      topic: 'ingest',
      stream: this.stream,
      track: this.track,
      ...(codec === undefined ? {} : { codec }),
      ts: this.startMs,
      ...columns,
      ...(encodeMs.length === columns.bytes.length ? { encodeMs, qp } : {}),
    });
  }
}
