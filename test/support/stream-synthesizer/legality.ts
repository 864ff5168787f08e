// What a macroblock's syntax elements may be where they stand: intra modes whose samples are there (8.3), vectors and QPs within the
// limits of the plan, levels that keep the transform within 16 bits. Shared by the two generating entropy coders.

import type { SliceState } from '../../../shared/codec/h264/decoder/slice-state.ts';
import { findIntraNeighbours, IntraNeighbours, predictIntraMode } from '../../../shared/codec/h264/prediction/intra.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../../../shared/codec/h264/tables/transform.generated.ts';
import type { Draw } from './draw.ts';

const { abs, floor, max } = Math;

/** Bounds of what is drawn. */
export type Limits = {
  readonly minQp: number;
  readonly maxQp: number;
  /** Largest vector component in quarter samples. */
  readonly maxMv: number;
  /** Per cent. */
  readonly skip: number;
  readonly pcm: number;
  readonly intraInInter: number;
};

/** Sum of scaled levels of a block that keeps every step of the transforms within 16 bits. */
const MAX_SCALED_SUM = 9000;

const LEFT = 1;
const TOP = 2;
const CORNER = 4;

/** Samples that Intra_4x4 and Intra_8x8 modes 0..8 need. */
const NEEDS_NXN = [TOP, LEFT, 0, TOP, 7, 7, 7, TOP, LEFT];
const NEEDS_16X16 = [TOP, LEFT, 0, 7];
const NEEDS_CHROMA = [0, LEFT, TOP, 7];

/** Tells what is legal at the current macroblock. */
export class Legality {
  readonly limits: Limits;
  private readonly s: SliceState;
  private readonly neighbours = new IntraNeighbours();
  /** Intra modes read so far of the current macroblock. */
  private modes = 0;

  constructor(state: SliceState, limits: Limits) {
    this.s = state;
    this.limits = limits;
  }

  /** Call at mb_type. */
  startMacroblock(): void {
    this.modes = 0;
    findIntraNeighbours(this.s, this.neighbours);
  }

  private whole(): number {
    const { left, hasTop, hasTopLeft } = this.neighbours;
    const isLeft = (left[0] & left[1] & left[2] & left[3]) === 1;
    return (isLeft ? LEFT : 0) | (hasTop ? TOP : 0) | (hasTopLeft ? CORNER : 0);
  }

  /** mb_type of I slices (0 I_NxN, 1..24 Intra_16x16, 25 I_PCM). */
  isIntraType(type: number): boolean {
    if (type === 0 || type === 25) {
      return true;
    }
    if (!this.s.hasChroma && ((type - 1) >> 2) % 3 !== 0) {
      return false; // a coded_block_pattern with chroma
    }
    const needs = NEEDS_16X16[(type - 1) & 3];
    return (needs & this.whole()) === needs;
  }

  isChromaMode(mode: number): boolean {
    const needs = NEEDS_CHROMA[mode];
    return needs !== undefined && (needs & this.whole()) === needs;
  }

  /** Whether the next block may have the mode that `rem` (-1: the predicted one) stands for. Advances when it may. */
  takeIntraMode(rem: number): boolean {
    const { s } = this;
    const block = s.transform8x8 ? 4 * this.modes : this.modes;
    const x = BLOCK_X_4X4[block];
    const y = BLOCK_Y_4X4[block];
    const predicted = predictIntraMode(s, x, y);
    const mode = rem < 0 ? predicted : rem < predicted ? rem : rem + 1;
    const { left, hasTop, hasTopLeft } = this.neighbours;
    const isLeft = x > 0 || left[y] === 1;
    const isTop = y > 0 || hasTop;
    const isCorner = x > 0 ? isTop : y > 0 ? left[y - 1] === 1 : hasTopLeft;
    const available = (isLeft ? LEFT : 0) | (isTop ? TOP : 0) | (isCorner ? CORNER : 0);
    if ((NEEDS_NXN[mode] & available) !== NEEDS_NXN[mode]) {
      return false;
    }
    this.modes++;
    return true;
  }

  isMv(mvdX: number, mvdY: number): boolean {
    const { mvpX, mvpY } = this.s;
    const { maxMv } = this.limits;
    return abs(mvpX + mvdX) <= maxMv && abs(mvpY + mvdY) <= maxMv;
  }

  isQpDelta(delta: number): boolean {
    const qp = this.s.qp + delta;
    return delta >= -26 && delta <= 25 && qp >= this.limits.minQp && qp <= this.limits.maxQp;
  }

  /**
   * Draws levels of a block by scan place (0: none); at least one when `isForced`. `scale` and `shift` as the residual kernels take them;
   * scale 0 is a DC block.
   */
  drawLevels(
    draw: Draw,
    block: { readonly count: number; readonly scan: number; readonly scale: number; readonly shift: number },
    isForced: boolean,
  ): number[] {
    const { s } = this;
    const { count, scan, scale, shift } = block;
    const levels: number[] = Array.from({ length: count }, () => 0);
    const ints = new Int32Array(s.bytes.buffer);
    const unit = (place: number): number =>
      scale === 0 ? this.dcUnit(count) : max(1, floor(ints[(scale >> 2) + s.bytes[scan + place]] / (1 << shift)));
    // An 8x8 block comes in four parts in CAVLC.
    let budget = shift === 6 && count === 16 ? MAX_SCALED_SUM >> 2 : MAX_SCALED_SUM;
    const density = draw.pick([4, 15, 40, 90]);
    const big = draw.pick([1, 1, 2, 8, 60, 1000]);
    for (let place = 0; place < count; place++) {
      if (!draw.chance(density)) {
        continue;
      }
      const most = floor(budget / unit(place));
      if (most < 1) {
        continue;
      }
      const magnitude = 1 + draw.below(most < big ? most : big);
      budget -= magnitude * unit(place);
      levels[place] = draw.chance(50) ? magnitude : -magnitude;
    }
    if (isForced && !levels.some((level) => level !== 0)) {
      levels[draw.below(count)] = draw.chance(50) ? 1 : -1;
    }
    return levels;
  }

  /** Weight of one level of a DC block, whose transform adds all of them. */
  private dcUnit(count: number): number {
    const { s } = this;
    const qps = [s.qp, s.chromaQp[s.qp], s.chromaQp[52 + s.qp]];
    const scales = qps.flatMap((qp) => [0, 1, 2, 3, 4, 5].map((list) => s.scale4x4[(list * 52 + qp) * 16]));
    return max(1, floor(max(...scales) / (count === 4 ? 32 : 64)));
  }
}
