// The motion of a missing macroblock: candidates are none at all, that of its neighbours, and that of the same place in the picture before.
// Each is judged by what lies around the macroblock: the strips of four samples beside it, fetched with the candidate's vector from its
// reference, should look like the strips that were received. A neighbour's vector fits the neighbour's own strip by its nature, so what
// moved there in the picture before has a say as well. Called by concealment.ts.

import { FRAME, BOTTOM_FIELD, TOP_FIELD, type Picture, type Structure } from '../dpb/picture.ts';
import { MB_INTER } from '../macroblock/mb-types.ts';
import { HOLE_ID } from './slice-references.ts';
import type { SliceState } from './slice-state.ts';

const { abs, max, min } = Math;

/** Samples beside the macroblock that are compared. */
const STRIP = 4;

/** Another vector must be better than none by so much in the mean: a still background is the likelier. */
const LEAD_OF_STILL = 1;

/** What a candidate loses for each luma sample that it departs from the motion of the picture before, and the most that counts. */
const LOSS_PER_SAMPLE = 0.5;
const FAR = 8;

/** Where a strip lies beside the macroblock: x, y, width, height in luma samples; left, right, above, below. */
const STRIPS = [
  [-STRIP, 0, STRIP, 16],
  [16, 0, STRIP, 16],
  [0, -STRIP, 16, STRIP],
  [0, 16, 16, STRIP],
] as const;

/** Blocks of 8x8 in a neighbour that touch the macroblock: left, right, above, below. */
const TOUCHING = [
  [1, 3],
  [0, 2],
  [2, 3],
  [0, 1],
] as const;

/** A whole macroblock from one reference. */
export type Motion = {
  readonly picture: Picture;
  readonly structure: Structure;
  /** x in the low, y in the high 16 bits, quarter samples. */
  readonly mv: number;
  /** Mean difference of the samples around: 0..255; 0 when there is nothing to compare. Less is better, and a lead may make it negative. */
  readonly difference: number;
};

/** Distance of two vectors in luma samples. */
const distance = (a: number, b: number): number =>
  max(abs(((a << 16) >> 16) - ((b << 16) >> 16)), abs((a >> 16) - (b >> 16))) / 4;

/** Finds motion for the missing macroblocks of one picture. */
export class MotionConcealment {
  private readonly s: SliceState;
  private readonly reference: Picture;
  private readonly pictures: readonly Picture[];
  private readonly structure: Structure;
  /** Reference identities and vectors tried for the current macroblock. */
  private readonly tried = new Map<number, Set<number>>();

  constructor(s: SliceState, reference: Picture, pictures: readonly Picture[]) {
    this.s = s;
    this.reference = reference;
    this.pictures = pictures;
    this.structure = s.isFieldPicture ? (s.isBottomField ? BOTTOM_FIELD : TOP_FIELD) : FRAME;
  }

  /** The best motion of the current macroblock. `sides`: which neighbours can be compared; left, right, above, below. */
  choose(sides: readonly boolean[]): Motion {
    const { s, reference, structure } = this;
    this.tried.clear();
    // the second field of a frame has the first one before it
    const before = reference === s.picture ? FRAME - structure : structure;
    let best = this.judge(reference, before, 0, sides);
    if (!sides.includes(true)) {
      return best;
    }
    const rowStep = (s.isFieldPicture ? 2 : 1) * s.PicWidthInMbs;
    const offsets = [-1, 1, -rowStep, rowStep];
    const past = this.pastMotion(rowStep);
    const departing = (motion: Motion): Motion => {
      const departures = past.map((mv) => min(FAR, distance(motion.mv, mv)));
      const loss = past.length === 0 ? 0 : departures.reduce((sum, one) => sum + one, 0) / past.length;
      return { ...motion, difference: motion.difference + LOSS_PER_SAMPLE * loss };
    };
    best = departing({ ...best, difference: best.difference - LEAD_OF_STILL });
    const consider = (id: number, mv: number, isFieldMb: boolean): void => {
      const candidate = this.candidate(id, mv, isFieldMb, sides);
      const motion = candidate === null ? null : departing(candidate);
      if (motion !== null && motion.difference < best.difference) {
        best = motion;
      }
    };
    for (let side = 0; side < 4; side++) {
      if (sides[side] && (s.store.kind[s.mb + offsets[side]] & MB_INTER) !== 0) {
        const mb = s.mb + offsets[side];
        for (const block of TOUCHING[side]) {
          const corner = 16 * mb + 8 * (block >> 1) + 2 * (block & 1);
          consider(s.refPic0[4 * mb + block], s.mv0[corner], s.mbField[mb] === 1);
          consider(s.refPic1[4 * mb + block], s.mv1[corner], s.mbField[mb] === 1);
        }
      }
    }
    if (past.length > 0 && this.hasMoved(s.mb)) {
      consider(4 * reference.slot + structure, reference.memory.mv[0][16 * s.mb], s.isFieldMb);
    }
    return best;
  }

  /** Whether a macroblock of the picture before has a vector that can be compared with those of the current one. */
  private hasMoved(mb: number): boolean {
    const { mbField, refIdx } = this.reference.memory;
    return (mbField[mb] === 1) === this.s.isFieldMb && refIdx[0][4 * mb] >= 0;
  }

  /** Vectors of the same place in the picture before and of its neighbours left, right and below, where there are any. */
  private pastMotion(rowStep: number): number[] {
    const { s, reference } = this;
    if (reference === s.picture) {
      return [];
    }
    const places = [s.mb];
    if (s.mbX > 0) {
      places.push(s.mb - 1);
    }
    if (s.mbX < s.PicWidthInMbs - 1) {
      places.push(s.mb + 1);
    }
    if (4 * (s.mb + rowStep) < reference.memory.refIdx[0].length) {
      places.push(s.mb + rowStep);
    }
    return places.filter((mb) => this.hasMoved(mb)).map((mb) => reference.memory.mv[0][16 * mb]);
  }

  /** Fetches the current macroblock. */
  predict({ picture, structure, mv }: Motion): void {
    const { s } = this;
    this.fetch(picture, structure, mv, 0, 0, 16, 16, s.dstY, s.hasChroma ? s.dstU : 0, s.dstV, s.strideY, s.strideC);
  }

  /** The motion of a neighbour as one of the current macroblock, judged; null when it is none, or known. */
  private candidate(id: number, mv: number, isFieldMb: boolean, sides: readonly boolean[]): Motion | null {
    const picture = id < 0 || id === HOLE_ID ? undefined : this.pictures[id >> 2];
    if (picture === undefined || (picture === this.s.picture && this.structure === FRAME)) {
      return null;
    }
    let structure = id & 3;
    let vector = mv;
    if (this.structure === FRAME && isFieldMb) {
      // a field macroblock of an MBAFF frame moves twice as many rows of the frame
      structure = FRAME;
      vector = (mv & 0xffff) | ((mv >> 16) << 17);
    } else if ((structure === FRAME) !== (this.structure === FRAME)) {
      return null;
    }
    const key = 4 * picture.slot + structure;
    const vectors = this.tried.get(key) ?? new Set();
    if (vectors.has(vector)) {
      return null;
    }
    vectors.add(vector);
    this.tried.set(key, vectors);
    return this.judge(picture, structure, vector, sides);
  }

  private judge(picture: Picture, structure: Structure, mv: number, sides: readonly boolean[]): Motion {
    const { s } = this;
    const { bytes, scratchPointer: scratch } = s;
    let sum = 0;
    let count = 0;
    for (const [side, [x, y, w, h]] of STRIPS.entries()) {
      if (!sides[side]) {
        continue;
      }
      this.fetch(picture, structure, mv, x, y, w, h, scratch, 0, 0, 16, 16);
      for (let row = 0; row < h; row++) {
        const from = scratch + 16 * row;
        const at = s.dstY + (y + row) * s.strideY + x;
        for (let column = 0; column < w; column++) {
          sum += abs(bytes[from + column] - bytes[at + column]);
        }
      }
      count += w * h;
    }
    return { picture, structure, mv, difference: count === 0 ? 0 : sum / count };
  }

  /** Inter prediction (8.4.2.2) of w x h luma samples at (x, y) from the macroblock's first one. */
  private fetch(
    { memory }: Picture,
    structure: Structure,
    mv: number,
    x: number,
    y: number,
    w: number,
    h: number,
    dstY: number,
    dstU: number,
    dstV: number,
    strideY: number,
    strideC: number,
  ): void {
    const { s } = this;
    const isBottom = structure === BOTTOM_FIELD;
    s.kernels.predictPartition(
      dstY,
      dstU,
      dstV,
      strideY,
      strideC,
      memory.y + (isBottom ? s.frameStrideY : 0),
      memory.u + (isBottom ? s.frameStrideC : 0),
      memory.v + (isBottom ? s.frameStrideC : 0),
      s.strideY,
      s.strideC,
      16 * s.PicWidthInMbs,
      s.refHeight,
      16 * s.mbX + x,
      s.lumaRow + y,
      w,
      h,
      mv,
      structure === this.structure ? 0 : isBottom ? -2 : 2, // Table 8-9
      s.emulationPointer,
    );
  }
}
