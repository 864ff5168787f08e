// Scaling tables (8.5.9) and the DC transforms (8.5.10, 8.5.11). Tables are made when a PPS becomes active.

import type { SliceState } from '../decoder/slice-state.ts';
import { activeScalingLists } from '../syntax/scaling-list.ts';
import type { PictureParameterSet } from '../syntax/pps.ts';
import type { SequenceParameterSet } from '../syntax/sps.ts';
import {
  NORM_ADJUST_4X4,
  NORM_ADJUST_8X8,
  TABLE_8_15_QPC,
  ZIGZAG_4X4,
  ZIGZAG_8X8,
} from '../tables/transform.generated.ts';

const { floor, max, min } = Math;

/** Fills scale4x4, scale8x8 and chromaQp of the state for a PPS: LevelScale << (qP / 6). */
export function prepareScaling(s: SliceState, sps: SequenceParameterSet, pps: PictureParameterSet): void {
  const lists = activeScalingLists(sps.scaling_lists, pps.high?.scaling_lists ?? null);
  for (let list = 0; list < 6; list++) {
    const weights = lists[list];
    for (let qP = 0; qP < 52; qP++) {
      const shift = floor(qP / 6);
      const norm = (qP % 6) * 16;
      const base = (list * 52 + qP) * 16;
      for (let k = 0; k < 16; k++) {
        const raster = ZIGZAG_4X4[k];
        s.scale4x4[base + raster] = (weights[k] * NORM_ADJUST_4X4[norm + raster]) << shift;
      }
    }
  }
  for (let list = 0; list < 2; list++) {
    const weights = lists[6 + list];
    for (let qP = 0; qP < 52; qP++) {
      const shift = floor(qP / 6);
      const norm = (qP % 6) * 64;
      const base = (list * 52 + qP) * 64;
      for (let k = 0; k < 64; k++) {
        const raster = ZIGZAG_8X8[k];
        s.scale8x8[base + raster] = (weights[k] * NORM_ADJUST_8X8[norm + raster]) << shift;
      }
    }
  }
  const second = pps.high?.second_chroma_qp_index_offset ?? pps.chroma_qp_index_offset;
  for (let qp = 0; qp < 52; qp++) {
    s.chromaQp[qp] = TABLE_8_15_QPC[max(0, min(51, qp + pps.chroma_qp_index_offset))];
    s.chromaQp[52 + qp] = TABLE_8_15_QPC[max(0, min(51, qp + second))];
  }
}

/** Index of the 4x4 block in decoding order, by raster index. */
const BLOCK_OF_RASTER = Uint8Array.of(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);

/** 8.5.10: Hadamard and scaling of s.dc (scan order) into the DC coefficients; clears s.dc. Returns a mask (block order) of non-zero DCs. */
export function reconstructLumaDc(s: SliceState, scaleBase: number): number {
  const { dc, scan4x4, coefficients } = s;
  const scale = s.scale4x4[scaleBase];
  const c = matrix;
  for (let k = 0; k < 16; k++) {
    c[scan4x4[k]] = dc[k];
    dc[k] = 0;
  }
  for (let i = 0; i < 16; i += 4) {
    const a = c[i] + c[i + 1];
    const b = c[i] - c[i + 1];
    const d = c[i + 2] + c[i + 3];
    const e = c[i + 2] - c[i + 3];
    // Rows of the Hadamard matrix: ++++, ++--, +--+, +-+-.
    c[i] = a + d;
    c[i + 1] = a - d;
    c[i + 2] = b - e;
    c[i + 3] = b + e;
  }
  let mask = 0;
  for (let j = 0; j < 4; j++) {
    const a = c[j] + c[j + 4];
    const b = c[j] - c[j + 4];
    const d = c[j + 8] + c[j + 12];
    const e = c[j + 8] - c[j + 12];
    mask |= place(coefficients, j, ((a + d) * scale + 32) >> 6);
    mask |= place(coefficients, j + 4, ((a - d) * scale + 32) >> 6);
    mask |= place(coefficients, j + 8, ((b - e) * scale + 32) >> 6);
    mask |= place(coefficients, j + 12, ((b + e) * scale + 32) >> 6);
  }
  return mask;
}

const matrix = new Int32Array(16);

function place(coefficients: Int16Array, raster: number, value: number): number {
  if (value === 0) {
    return 0;
  }
  const block = BLOCK_OF_RASTER[raster];
  coefficients[block * 16] = value;
  return 1 << block;
}

/** 8.5.11.1, 4:2:0: the DC coefficients of one chroma component; clears its part of s.chromaDc. Returns a mask of non-zero DCs. */
export function reconstructChromaDc(s: SliceState, component: number, scaleBase: number): number {
  const { chromaDc, coefficients } = s;
  const from = component * 4;
  const out = 256 + component * 64;
  const scale = s.scale4x4[scaleBase];
  const c0 = chromaDc[from];
  const c1 = chromaDc[from + 1];
  const c2 = chromaDc[from + 2];
  const c3 = chromaDc[from + 3];
  chromaDc[from] = chromaDc[from + 1] = chromaDc[from + 2] = chromaDc[from + 3] = 0;
  const d0 = ((c0 + c1 + c2 + c3) * scale) >> 5;
  const d1 = ((c0 - c1 + c2 - c3) * scale) >> 5;
  const d2 = ((c0 + c1 - c2 - c3) * scale) >> 5;
  const d3 = ((c0 - c1 - c2 + c3) * scale) >> 5;
  coefficients[out] = d0;
  coefficients[out + 16] = d1;
  coefficients[out + 32] = d2;
  coefficients[out + 48] = d3;
  return (d0 !== 0 ? 1 : 0) | (d1 !== 0 ? 2 : 0) | (d2 !== 0 ? 4 : 0) | (d3 !== 0 ? 8 : 0);
}
