// CAVLC (9.1, 9.2): macroblock syntax and residual blocks from Exp-Golomb and context-adaptive codes. Coefficients are written scaled
// (8.5.12.1) straight into the codec's memory. Called by macroblock-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { SliceState } from '../decoder/slice-state.ts';
import {
  TABLE_9_4_INTER_420,
  TABLE_9_4_INTER_MONO,
  TABLE_9_4_INTRA_420,
  TABLE_9_4_INTRA_MONO,
} from '../tables/cavlc.generated.ts';
import {
  COEFF_TOKEN_0,
  COEFF_TOKEN_2,
  COEFF_TOKEN_4,
  COEFF_TOKEN_8,
  COEFF_TOKEN_CHROMA_DC,
  RUN_BEFORE_LONG,
  RUN_BEFORE_SHORT,
  TOTAL_ZEROS_4X4,
  TOTAL_ZEROS_CHROMA_DC,
} from './cavlc-tables.ts';
import type { MacroblockSyntax } from './macroblock-syntax.ts';

const { clz32 } = Math;

function fail(position: number, message: string): never {
  throw new BitstreamError('forbidden-value', '9.2', position, message);
}

/** Reads macroblocks coded with entropy_coding_mode_flag 0. */
export class CavlcDecoder implements MacroblockSyntax {
  mvdX = 0;
  mvdY = 0;
  private readonly s: SliceState;
  /** Levels of the block being parsed, from the highest frequency down. */
  private readonly levels = new Int32Array(16);
  /** Scan positions of those levels. */
  private readonly positions = new Int32Array(16);

  constructor(state: SliceState) {
    this.s = state;
  }

  mb_type(): number {
    return this.s.reader.ue();
  }

  sub_mb_type(): number {
    return this.s.reader.ue();
  }

  transform_size_8x8_flag(): boolean {
    return this.s.reader.bits(1) === 1;
  }

  intraPredMode(): number {
    const { reader } = this.s;
    return reader.bits(1) === 1 ? -1 : reader.bits(3);
  }

  intra_chroma_pred_mode(): number {
    return this.s.reader.ue();
  }

  ref_idx(_list: number, _at: number, range: number): number {
    return this.s.reader.te(range);
  }

  mvd(): void {
    const { reader } = this.s;
    this.mvdX = reader.se();
    this.mvdY = reader.se();
  }

  coded_block_pattern(isIntra: boolean): number {
    const codeNum = this.s.reader.ue();
    if (this.s.hasChroma) {
      if (codeNum > 47) {
        fail(this.s.reader.position, `coded_block_pattern has codeNum ${codeNum}.`);
      }
      return isIntra ? TABLE_9_4_INTRA_420[codeNum] : TABLE_9_4_INTER_420[codeNum];
    }
    if (codeNum > 15) {
      fail(this.s.reader.position, `coded_block_pattern has codeNum ${codeNum}.`);
    }
    return isIntra ? TABLE_9_4_INTRA_MONO[codeNum] : TABLE_9_4_INTER_MONO[codeNum];
  }

  mb_qp_delta(): number {
    return this.s.reader.se();
  }

  dcBlock(component: number): boolean {
    const { s } = this;
    if (component === 0) {
      const total = this.levelsOf(this.nC(0), 16);
      for (let i = 0; i < total; i++) {
        s.dc[this.positions[i]] = this.levels[i];
      }
      return total > 0;
    }
    const total = this.levelsOf(-1, 4);
    const base = (component - 1) * 4;
    for (let i = 0; i < total; i++) {
      s.chromaDc[base + this.positions[i]] = this.levels[i];
    }
    return total > 0;
  }

  block4x4(_cat: number, block: number, out: number, start: number, scaleBase: number): number {
    const { s, levels, positions } = this;
    const total = this.levelsOf(this.nC(block), 16 - start);
    s.store.totalCoeff[s.mb * 24 + block] = total;
    if (total === 0) {
      return 0;
    }
    const { coefficients, scan4x4, scale4x4 } = s;
    for (let i = 0; i < total; i++) {
      const raster = scan4x4[positions[i] + start];
      coefficients[out + raster] = (levels[i] * scale4x4[scaleBase + raster] + 8) >> 4;
    }
    s.isDcOnly = start === 0 && total === 1 && positions[0] === 0;
    return total;
  }

  block8x8(block8: number, out: number, scaleBase: number): boolean {
    const { s, levels, positions } = this;
    const { coefficients, scan8x8Cavlc, scale8x8 } = s;
    const firstBlock = (block8 & 2) * 4 + (block8 & 1) * 2;
    let sum = 0;
    let isDcOnly = true;
    for (let i = 0; i < 4; i++) {
      const block = firstBlock + (i >> 1) * 4 + (i & 1);
      const total = this.levelsOf(this.nC(block), 16);
      s.store.totalCoeff[s.mb * 24 + block] = total;
      sum += total;
      for (let j = 0; j < total; j++) {
        const raster = scan8x8Cavlc[i * 16 + positions[j]];
        coefficients[out + raster] = (levels[j] * scale8x8[scaleBase + raster] + 32) >> 6;
      }
      isDcOnly = isDcOnly && (i === 0 ? total === 1 && positions[0] === 0 : total === 0);
    }
    s.isDcOnly = isDcOnly;
    return sum > 0;
  }

  /** nC of a block (9.2.1): luma raster 0..15, Cb 16..19, Cr 20..23. */
  private nC(block: number): number {
    const { s } = this;
    const total = s.store.totalCoeff;
    const own = s.mb * 24;
    let nA = -1;
    let nB = -1;
    if (block < 16) {
      if ((block & 3) !== 0) {
        nA = total[own + block - 1];
      } else {
        const row = block >> 2;
        const left = s.leftMb[row];
        if (left >= 0) {
          nA = total[left * 24 + s.leftRow[row] * 4 + 3];
        }
      }
      if (block > 3) {
        nB = total[own + block - 4];
      } else if (s.mbB >= 0) {
        nB = total[s.mbB * 24 + 12 + block];
      }
    } else {
      const base = block & ~3;
      if ((block & 1) !== 0) {
        nA = total[own + block - 1];
      } else {
        const row = block & 2;
        const left = s.leftMb[row];
        if (left >= 0) {
          nA = total[left * 24 + base + (s.leftRow[row] & 2) + 1];
        }
      }
      if ((block & 2) !== 0) {
        nB = total[own + block - 2];
      } else if (s.mbB >= 0) {
        nB = total[s.mbB * 24 + base + 2 + (block & 1)];
      }
    }
    if (nA >= 0) {
      return nB >= 0 ? (nA + nB + 1) >> 1 : nA;
    }
    return nB >= 0 ? nB : 0;
  }

  /** Parses one residual block (7.3.5.3.2) into `levels` and `positions`; returns TotalCoeff. */
  private levelsOf(nC: number, maxNumCoeff: number): number {
    const { reader } = this.s;
    const word = reader.peek32();
    let token: number;
    let length: number;
    if (nC >= 8) {
      token = COEFF_TOKEN_8[word >>> 26];
      length = 6;
    } else {
      const table = nC < 0 ? COEFF_TOKEN_CHROMA_DC : nC < 2 ? COEFF_TOKEN_0 : nC < 4 ? COEFF_TOKEN_2 : COEFF_TOKEN_4;
      let zeros = clz32(word);
      if (zeros > 15) {
        if (nC >= 0) {
          fail(reader.position, 'No coeff_token has more than 15 leading zeros.');
        }
        zeros = 15; // the all-zero code of chroma DC
      }
      const entry = table[zeros * 8 + ((word >>> (28 - zeros)) & 7)];
      if (entry === 0) {
        fail(reader.position, 'No coeff_token starts with these bits.');
      }
      token = entry & 255;
      length = entry >> 8;
    }
    reader.position += length;
    const total = token >> 2;
    if (total === 0) {
      if (reader.position > reader.length) {
        fail(reader.position, 'The slice ends within a residual block.');
      }
      return 0;
    }
    if (total > maxNumCoeff) {
      fail(reader.position, `A block of ${maxNumCoeff} coefficients cannot have ${total}.`);
    }
    this.readLevels(total, token & 3);
    this.readRuns(total, maxNumCoeff);
    if (reader.position > reader.length) {
      fail(reader.position, 'The slice ends within a residual block.');
    }
    return total;
  }

  // 9.2.2.1
  private readLevels(total: number, trailingOnes: number): void {
    const { levels } = this;
    const { reader } = this.s;
    if (trailingOnes > 0) {
      const signs = reader.peek32();
      reader.position += trailingOnes;
      levels[0] = 1 - ((signs >>> 30) & 2);
      levels[1] = 1 - ((signs >>> 29) & 2);
      levels[2] = 1 - ((signs >>> 28) & 2);
    }
    let suffixLength = total > 10 && trailingOnes < 3 ? 1 : 0;
    for (let i = trailingOnes; i < total; i++) {
      const word = reader.peek32();
      const level_prefix = clz32(word);
      if (level_prefix > 15) {
        levels[i] = this.escapedLevel(level_prefix, suffixLength, i === trailingOnes && trailingOnes < 3);
        suffixLength = suffixLength === 0 ? 2 : suffixLength < 6 ? suffixLength + 1 : 6;
        continue;
      }
      reader.position += level_prefix + 1;
      let levelCode = level_prefix << suffixLength;
      let suffixSize = suffixLength;
      if (level_prefix === 14 && suffixLength === 0) {
        suffixSize = 4;
      } else if (level_prefix === 15) {
        suffixSize = 12;
        levelCode += suffixLength === 0 ? 15 : 0;
      }
      if (suffixSize > 0) {
        levelCode += (word << (level_prefix + 1)) >>> (32 - suffixSize);
        reader.position += suffixSize;
      }
      if (i === trailingOnes && trailingOnes < 3) {
        levelCode += 2;
      }
      levels[i] = (levelCode & 1) === 0 ? (levelCode + 2) >> 1 : (-levelCode - 1) >> 1;
      if (suffixLength === 0) {
        suffixLength = 1;
      }
      const size = levels[i] < 0 ? -levels[i] : levels[i];
      if (size > 3 << (suffixLength - 1) && suffixLength < 6) {
        suffixLength++;
      }
    }
  }

  /** A level with level_prefix above 15 (9.2.2.1), above every threshold of suffixLength. */
  private escapedLevel(level_prefix: number, suffixLength: number, isFirst: boolean): number {
    const { reader } = this.s;
    if (level_prefix > 24) {
      fail(reader.position, `level_prefix is ${level_prefix}.`);
    }
    reader.position += level_prefix + 1;
    let levelCode = (15 << suffixLength) + reader.bits(level_prefix - 3) + (1 << (level_prefix - 3)) - 4096;
    levelCode += (suffixLength === 0 ? 15 : 0) + (isFirst ? 2 : 0);
    return (levelCode & 1) === 0 ? (levelCode + 2) >> 1 : (-levelCode - 1) >> 1;
  }

  // 9.2.3
  private readRuns(total: number, maxNumCoeff: number): void {
    const { positions } = this;
    const { reader } = this.s;
    let zerosLeft = 0;
    if (total < maxNumCoeff) {
      const word = reader.peek32();
      const entry =
        maxNumCoeff === 4
          ? TOTAL_ZEROS_CHROMA_DC[total * 8 + (word >>> 29)]
          : TOTAL_ZEROS_4X4[total * 512 + (word >>> 23)];
      if (entry === 0) {
        fail(reader.position, 'No total_zeros starts with these bits.');
      }
      zerosLeft = entry & 15;
      reader.position += entry >> 4;
      if (total + zerosLeft > maxNumCoeff) {
        fail(reader.position, `total_zeros ${zerosLeft} is too much for ${total} of ${maxNumCoeff} coefficients.`);
      }
    }
    let position = total + zerosLeft - 1;
    positions[0] = position;
    for (let i = 1; i < total; i++) {
      if (zerosLeft > 0) {
        const word = reader.peek32();
        const entry = zerosLeft < 7 ? RUN_BEFORE_SHORT[zerosLeft * 8 + (word >>> 29)] : RUN_BEFORE_LONG[word >>> 21];
        const run = entry & 15;
        if (entry === 0 || run > zerosLeft) {
          fail(reader.position, 'run_before does not fit.');
        }
        reader.position += entry >> 4;
        zerosLeft -= run;
        position -= run;
      }
      position--;
      positions[i] = position;
    }
  }
}
