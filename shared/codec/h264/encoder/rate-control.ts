// Rate control: which QP each picture starts with and how it moves from row to row. Constant QP, or a bit rate that holds on average while
// no picture exceeds what the decoder's buffer has (decoder-buffer.ts) nor the limit per picture. The model of a kind of picture is
// bits * quantiser step = complexity, tracked over time; of intra pictures complexity / activity is tracked, so that a new scene is
// judged by its own activity. Called by H264Encoder and picture-encoder.ts.

import type { RateControlConfig } from '../codec-types.ts';
import { DecoderBuffer } from './decoder-buffer.ts';

const { log2, max, min, round } = Math;

/** I pictures are coded this much finer than P pictures: all pictures after them profit. */
const INTRA_QP_OFFSET = -3;
/** Steps of QP that a P picture may differ from the P picture before it. */
const MAX_STEP = 4;
/** Highest QP, and the lowest that bit rate control uses. */
const QP_MAX = 51;
export const QP_MIN = 10;
/** What was saved longer ago than this (seconds of the average rate) is not spent later. */
const MAX_SAVINGS = 0.2;
/** An intra picture may take as much as this many pictures. */
const INTRA_PICTURES = 6;
/** Complexity of intra pictures per activity, and of P pictures per macroblock, before anything is known. */
const INTRA_COMPLEXITY = 160;
const INTER_COMPLEXITY = 350;
/** Index of intra pictures among the kinds; the others are the temporal layers. */
const INTRA = 3;

/** Quantiser step of a QP, relative (doubles every 6). */
const stepOf = (qp: number): number => 0.625 * 2 ** (qp / 6);
const qpOfStep = (step: number): number => 6 * log2(step / 0.625);

/** What is known about one picture before it is coded. */
export type PictureFacts = {
  readonly isIntra: boolean;
  /** It has little to do with the picture before. */
  readonly isNewScene: boolean;
  readonly temporalLayer: number;
  /** Macroblock rows. */
  readonly rows: number;
  /** Seconds since the picture before; 0 for the first. */
  readonly seconds: number;
  /** Its nominal duration in seconds. */
  readonly duration: number;
  /** Activity of the source, see picture-analysis.ts. */
  readonly activity: number;
};

/** What to do with a coded picture: send it, code it again with `qp`, repeat the picture before instead, or leave the frame out. */
export type Verdict = 'send' | 'again' | 'repeat' | 'drop';

/** A rate and its buffer in bits. */
type Rates = {
  readonly bitsPerSecond: number;
  readonly peakBitsPerSecond: number;
  readonly bufferBits: number;
  readonly maxFrameBits: number;
};

function ratesOf(config: RateControlConfig): Rates {
  if (config.kind === 'qp') {
    return { bitsPerSecond: 0, peakBitsPerSecond: 0, bufferBits: 0, maxFrameBits: Infinity };
  }
  const peakKbps = max(config.kbps, config.maxKbps ?? config.kbps);
  return {
    bitsPerSecond: 1000 * config.kbps,
    peakBitsPerSecond: 1000 * peakKbps,
    bufferBits: peakKbps * (config.bufferMs ?? 1000),
    maxFrameBits: 8 * (config.maxFrameBytes ?? Infinity),
  };
}

/** Plans QP for pictures and rows. */
export class RateControl {
  /** Pictures that were coded again because they did not fit, that became a repetition of the one before, that were left out. */
  recoded = 0;
  repeated = 0;
  dropped = 0;
  /** QP of the picture's next attempt. */
  qp = 0;

  private config: RateControlConfig;
  private rates: Rates;
  private readonly buffer: DecoderBuffer;
  /** Bits spent above the average rate so far. */
  private debt = 0;
  /** Complexity by kind of picture: P of each layer, and I per activity. */
  private readonly complexity: number[];
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
  private activity = 1;
  private isNewScene = false;
  private isRepetition = false;
  private readonly rowShares: Float64Array[] = [];
  private rowBits = new Float64Array(0);

  constructor(config: RateControlConfig, macroblocks: number) {
    this.config = config;
    this.rates = ratesOf(config);
    this.buffer = new DecoderBuffer(this.rates.peakBitsPerSecond, this.rates.bufferBits);
    this.complexity = [INTER_COMPLEXITY * macroblocks, 0, 0, INTRA_COMPLEXITY];
  }

  /** Another rate from the next picture on; what is known of the content stays. */
  change(config: RateControlConfig): void {
    const isFromQp = this.config.kind === 'qp' && config.kind === 'bitrate';
    this.config = config;
    this.rates = ratesOf(config);
    this.buffer.change(this.rates.peakBitsPerSecond, this.rates.bufferBits);
    this.debt = 0;
    if (isFromQp) {
      this.buffer.fill(1);
    }
  }

  /** Starts a picture: QP of its first row. */
  start(facts: PictureFacts): number {
    this.kind = facts.isIntra ? INTRA : facts.temporalLayer;
    this.rows = facts.rows;
    this.activity = max(1, facts.activity);
    this.isRepetition = false;
    this.isNewScene = facts.isNewScene;
    this.qpSum = 0;
    if (this.config.kind === 'qp') {
      const qp = this.config.qp + (facts.isIntra ? INTRA_QP_OFFSET : facts.temporalLayer);
      this.baseQp = min(QP_MAX, max(0, qp));
    } else {
      if (this.rowBits.length !== facts.rows) {
        this.rowBits = new Float64Array(facts.rows);
      }
      this.fill(facts.seconds);
      this.planBits(facts);
      this.baseQp = this.chooseQp(facts);
    }
    this.rowQp = this.baseQp;
    this.qp = this.baseQp;
    return this.baseQp;
  }

  private fill(seconds: number): void {
    const { bitsPerSecond } = this.rates;
    this.buffer.fill(seconds);
    this.debt = max(this.debt - bitsPerSecond * seconds, -MAX_SAVINGS * bitsPerSecond);
  }

  /** Bits that the picture should take, and those that it must not exceed. */
  private planBits({ isIntra, isNewScene, duration }: PictureFacts): void {
    const { rates, buffer } = this;
    const average = rates.bitsPerSecond * duration;
    this.limitBits = min(buffer.content, rates.maxFrameBits);
    const ceiling = 0.7 * rates.maxFrameBits;
    if (isIntra) {
      const wish = isNewScene ? INTRA_PICTURES * average : max(INTRA_PICTURES * average, 0.5 * buffer.size);
      this.targetBits = min(0.6 * buffer.content, max(average, wish - 0.5 * max(0, this.debt)), ceiling);
      return;
    }
    // Pay debt back within about a second; keep the buffer about 60 % full where average and peak are the same.
    const correction = -this.debt * min(0.25, 1.2 * duration);
    const lack = 0.35 * buffer.size - buffer.content;
    const caution = lack > 0 ? lack * min(0.5, 3 * duration) : 0;
    this.targetBits = min(max(0.15 * average, average + correction - caution), 0.5 * buffer.content, ceiling);
  }

  private chooseQp({ isIntra, isNewScene }: PictureFacts): number {
    const known = isIntra ? this.complexity[INTRA] * this.activity : this.complexity[this.kind];
    const complexity = known > 0 ? known : this.complexity[0];
    let qp = qpOfStep(complexity / max(1, this.targetBits));
    if (isIntra) {
      // As fine as the P pictures around it deserve, coarser only when the buffer asks for it.
      qp = this.lastPQp > 0 && !isNewScene ? max(this.lastPQp + INTRA_QP_OFFSET, qp) : qp;
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
    const limit = 0.95 * this.limitBits;
    // Near the end there is little left to change.
    let qp = this.rowQp;
    if (expected > min(1.4 * this.targetBits, 0.8 * limit)) {
      qp++;
      if (expected > min(2.2 * this.targetBits, limit)) {
        qp++;
      }
    } else if (expected < 0.6 * this.targetBits && qp > this.baseQp - 2) {
      qp--;
    } else if (expected < this.targetBits && qp > this.baseQp) {
      qp--;
    }
    if (bits > 0.75 * limit) {
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

  /** Judges a coded picture of `bits`. After 'again' it is to be coded with `qp`. */
  judge(bits: number): Verdict {
    if (this.config.kind === 'qp' || bits <= this.limitBits) {
      return 'send';
    }
    if (this.isRepetition || (this.baseQp >= QP_MAX && this.kind === INTRA)) {
      this.dropped++;
      return 'drop';
    }
    if (this.baseQp >= QP_MAX) {
      this.repeated++;
      this.isRepetition = true;
      this.qpSum = 0;
      return 'repeat';
    }
    this.recoded++;
    const steps = max(2, 6 * log2(bits / max(1, 0.7 * this.limitBits)));
    this.baseQp = min(QP_MAX, round(max(this.baseQp, this.qpSum / this.rows) + steps));
    this.rowQp = this.baseQp;
    this.qp = this.baseQp;
    this.qpSum = 0;
    return 'again';
  }

  /** The picture is sent: `bits` in all. Returns its mean QP. */
  finish(bits: number): number {
    const qp = this.qpSum / this.rows;
    if (this.config.kind === 'qp') {
      return qp;
    }
    this.buffer.remove(bits);
    this.debt += bits;
    if (!this.isRepetition) {
      this.learn(bits, qp);
    }
    return qp;
  }

  private learn(bits: number, qp: number): void {
    const { kind } = this;
    const measured = (bits * stepOf(qp)) / (kind === INTRA ? this.activity : 1);
    const before = this.complexity[kind];
    const weight = kind === INTRA || before === 0 || this.lastPQp === 0 ? 0.8 : 0.4;
    this.complexity[kind] = (1 - weight) * before + weight * measured;
    if (kind === INTRA) {
      this.lastIQp = qp;
      this.lastPQp = this.isNewScene ? qp - INTRA_QP_OFFSET : this.lastPQp;
    } else {
      this.lastPQp = qp - kind;
    }
    const total = max(1, this.rowBits[this.rows - 1]);
    this.rowShares[kind] = this.rowBits.map((value) => value / total);
  }
}
