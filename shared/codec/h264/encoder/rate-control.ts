// Rate control: which QP each picture starts with and how it moves from row to row. Constant QP, or a bit rate within a leaky bucket
// (VBV, Annex C.3 with one schedule): the bucket holds `bufferBits`, fills at the peak rate and is emptied by each picture at its time.
// The model of a picture type is bits * quantiser step = complexity, tracked over time. Called by H264Encoder and picture-encoder.ts.

import type { RateControlConfig } from '../codec-types.ts';

const { log2, max, min, round } = Math;

/** I pictures are coded this much finer than P pictures: all pictures after them profit. */
export const INTRA_QP_OFFSET = -3;
/** The bucket's fill when the stream starts. */
const INITIAL_FULLNESS = 0.9;
/** Steps of QP that a P picture may differ from the P picture before it. */
const MAX_STEP = 4;
/** Highest QP, and the lowest that bit rate control uses. */
const QP_MAX = 51;
const QP_MIN = 10;

/** Quantiser step of a QP, relative (doubles every 6). */
const stepOf = (qp: number): number => 0.625 * 2 ** (qp / 6);
const qpOfStep = (step: number): number => 6 * log2(step / 0.625);

/** What is known about one picture before it is coded. */
export type PictureFacts = {
  readonly isIdr: boolean;
  readonly temporalLayer: number;
  /** Macroblock rows. */
  readonly rows: number;
  /** Seconds since the picture before. */
  readonly seconds: number;
};

/** Plans QP for pictures and rows. */
export class RateControl {
  /** Pictures that had to be coded again because they did not fit the bucket. */
  recoded = 0;

  private readonly config: RateControlConfig;
  private readonly intraOffset: number;
  private readonly bitsPerSecond: number;
  private readonly peakBitsPerSecond: number;
  private readonly bufferBits: number;
  private fullness: number;
  /** Bits spent above the average rate so far. */
  private debt = 0;
  /** Complexity (bits times step) by kind of picture: P of each layer, and I; 0 while unknown. */
  private readonly complexity = [0, 0, 0, 0];
  private lastPQp = 0;
  private lastIQp = 0;

  // The picture being coded.
  private kind = 0;
  private baseQp = 0;
  private rowQp = 0;
  private targetBits = 0;
  private limitBits = 0;
  private rows = 1;
  private qpSum = 0;
  private readonly rowShares: Float64Array[] = [];
  private rowBits = new Float64Array(0);

  constructor(config: RateControlConfig, options: { readonly macroblocks: number; readonly psnr: boolean }) {
    this.config = config;
    this.intraOffset = INTRA_QP_OFFSET;
    const isRate = config.kind === 'bitrate';
    this.bitsPerSecond = isRate ? 1000 * config.kbps : 0;
    this.peakBitsPerSecond = isRate ? 1000 * max(config.kbps, config.maxKbps ?? config.kbps) : 0;
    this.bufferBits = isRate ? (this.peakBitsPerSecond * (config.bufferMs ?? 1000)) / 1000 : 0;
    this.fullness = INITIAL_FULLNESS * this.bufferBits;
    // First guess: a P macroblock takes about 4000 bits * step ** -1.
    this.complexity[0] = 350 * options.macroblocks;
    this.complexity[3] = 1600 * options.macroblocks;
  }

  /** Starts a picture: QP of its first row. */
  start(facts: PictureFacts): number {
    this.kind = facts.isIdr ? 3 : facts.temporalLayer;
    this.rows = facts.rows;
    this.qpSum = 0;
    if (this.config.kind === 'qp') {
      const qp = this.config.qp + (facts.isIdr ? this.intraOffset : facts.temporalLayer);
      this.baseQp = min(QP_MAX, max(0, qp));
      this.rowQp = this.baseQp;
      return this.baseQp;
    }
    if (this.rowBits.length !== facts.rows) {
      this.rowBits = new Float64Array(facts.rows);
    }
    this.fill(facts.seconds);
    this.planBits(facts);
    this.baseQp = this.chooseQp(facts);
    this.rowQp = this.baseQp;
    return this.baseQp;
  }

  private fill(seconds: number): void {
    this.fullness = min(this.bufferBits, this.fullness + this.peakBitsPerSecond * seconds);
    this.debt -= this.bitsPerSecond * seconds;
    // What was saved long ago is not to be spent at once.
    this.debt = max(this.debt, -0.5 * this.bitsPerSecond);
  }

  /** Bits that the picture should take, and those that it must not exceed. */
  private planBits(facts: PictureFacts): void {
    const average = this.bitsPerSecond * facts.seconds;
    this.limitBits = 0.95 * this.fullness;
    if (facts.isIdr) {
      this.targetBits = min(0.6 * this.fullness, max(6 * average, 0.5 * this.bufferBits));
      return;
    }
    // Pay debt back within about a second; keep the bucket about 60 % full where average and peak are the same.
    const correction = -this.debt * min(0.25, 1.2 * facts.seconds);
    const lack = 0.35 * this.bufferBits - this.fullness;
    const caution = lack > 0 ? lack * min(0.5, 3 * facts.seconds) : 0;
    this.targetBits = max(0.15 * average, average + correction - caution);
    this.targetBits = min(this.targetBits, 0.5 * this.fullness);
  }

  private chooseQp(facts: PictureFacts): number {
    const known = this.complexity[this.kind];
    const complexity = known > 0 ? known : this.complexity[0];
    let qp = qpOfStep(complexity / max(1, this.targetBits));
    if (facts.isIdr) {
      // As fine as the P pictures around it deserve, coarser only when the bucket asks for it.
      qp = this.lastPQp > 0 ? max(this.lastPQp + this.intraOffset, qp) : qp;
    } else if (this.lastPQp > 0) {
      qp = min(this.lastPQp + MAX_STEP, max(this.lastPQp - MAX_STEP, qp));
    } else if (this.lastIQp > 0) {
      qp = min(this.lastIQp + 8, max(this.lastIQp - 2, qp));
    }
    return min(QP_MAX, max(QP_MIN, round(qp)));
  }

  /** A row is complete, `bits` of the picture are written: QP of the next row. */
  afterRow(row: number, bits: number): number {
    this.qpSum += this.rowQp;
    if (this.config.kind === 'qp') {
      return this.rowQp;
    }
    this.rowBits[row] = bits;
    const done = this.shareDone(row);
    if (row + 1 >= this.rows || done <= 0.04) {
      return this.rowQp;
    }
    const expected = bits / done;
    // Near the end there is little left to change.
    let qp = this.rowQp;
    if (expected > min(1.4 * this.targetBits, 0.8 * this.limitBits)) {
      qp++;
      if (expected > min(2.2 * this.targetBits, this.limitBits)) {
        qp++;
      }
    } else if (expected < 0.6 * this.targetBits && qp > this.baseQp - 2) {
      qp--;
    } else if (expected < this.targetBits && qp > this.baseQp) {
      qp--;
    }
    if (bits > 0.75 * this.limitBits) {
      qp += 3;
    }
    this.rowQp = min(QP_MAX, max(QP_MIN, qp));
    return this.rowQp;
  }

  /** The same for a row whose successor is coded already: nothing can be steered. */
  rowCoded(row: number, bits: number): void {
    this.qpSum += this.baseQp;
    if (this.config.kind === 'bitrate') {
      this.rowBits[row] = bits;
    }
  }

  /** Share of a picture's bits that its rows up to `row` take, from the picture of this kind before; else by area. */
  private shareDone(row: number): number {
    const byArea = (row + 1) / this.rows;
    const shares = this.rowShares[this.kind];
    return shares?.length === this.rows ? 0.5 * byArea + 0.5 * shares[row] : byArea;
  }

  /** Whether a picture of `bits` fits the bucket; else it is to be coded again with the returned QP, until QP_MAX. */
  retryQp(bits: number): number | null {
    if (this.config.kind === 'qp' || bits <= this.fullness || this.baseQp >= QP_MAX) {
      return null;
    }
    this.recoded++;
    const steps = max(2, 6 * log2(bits / max(1, 0.7 * this.fullness)));
    this.baseQp = min(QP_MAX, round(max(this.baseQp, this.qpSum / this.rows) + steps));
    this.rowQp = this.baseQp;
    this.qpSum = 0;
    return this.baseQp;
  }

  /** The picture is coded: `bits` in all. Returns its mean QP. */
  finish(bits: number): number {
    const qp = this.qpSum / this.rows;
    if (this.config.kind === 'qp') {
      return qp;
    }
    this.fullness -= bits;
    this.debt += bits;
    this.learn(bits, qp);
    return qp;
  }

  private learn(bits: number, qp: number): void {
    const { kind } = this;
    const measured = bits * stepOf(qp);
    const before = this.complexity[kind];
    const weight = kind === 3 || before === 0 || this.lastPQp === 0 ? 0.8 : 0.4;
    this.complexity[kind] = (1 - weight) * before + weight * measured;
    if (kind === 3) {
      this.lastIQp = qp;
    } else {
      this.lastPQp = qp - (kind > 0 ? kind : 0);
    }
    const total = max(1, this.rowBits[this.rows - 1]);
    this.rowShares[kind] = this.rowBits.map((value) => value / total);
  }

  /** Free bits of the bucket's content after the last picture, for statistics. */
  get bucketFullness(): number {
    return this.fullness;
  }
}
