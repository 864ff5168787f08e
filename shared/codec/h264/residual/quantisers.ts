// Quantisers in kernel memory, one per QP and kind of prediction: multipliers, scaling factors and rounding offsets as the analysis
// kernels read them. level = (|c| * MF + f) >> (15 + QP / 6); scaled = level * normAdjust << QP / 6 (8.5.12.1 with flat scaling lists).
// The rounding offset f (the dead zone) is the encoder's choice. Called by encoder/macroblock-encoder.ts.

import { QUANTISER_8X8_BYTES, QUANTISER_BYTES } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import {
  NORM_ADJUST_4X4,
  NORM_ADJUST_8X8,
  QUANT_MF_4X4,
  QUANT_MF_8X8,
  TABLE_8_15_QPC,
} from '../tables/transform.generated.ts';

const { floor, min } = Math;

/** Dead zones as fractions of a step that round up: 1/2 is plain rounding, less kills small levels. */
export type DeadZones = { readonly intra: number; readonly inter: number };

/** Bytes that `Quantisers` takes from a codec memory. */
export const QUANTISERS_BYTES = 2 * 52 * (QUANTISER_BYTES + QUANTISER_8X8_BYTES) + 64;

/** QPc of a QPY with chroma_qp_index_offset (Table 8-15). */
export function chromaQp(QPY: number, chroma_qp_index_offset: number): number {
  const index = QPY + chroma_qp_index_offset;
  return TABLE_8_15_QPC[index < 0 ? 0 : index > 51 ? 51 : index];
}

/** All quantisers of an encoder. */
export class Quantisers {
  private readonly base: Pointer;
  private readonly base8x8: Pointer;

  constructor(memory: CodecMemory, deadZones: DeadZones) {
    this.base = memory.allocate(2 * 52 * QUANTISER_BYTES, 16);
    this.base8x8 = memory.allocate(2 * 52 * QUANTISER_8X8_BYTES, 16);
    const bytes = new DataView(memory.memory.buffer);
    for (let qp = 0; qp < 52; qp++) {
      for (const inter of [0, 1]) {
        const fraction = inter === 1 ? deadZones.inter : deadZones.intra;
        this.write4x4(bytes, this.base + (2 * qp + inter) * QUANTISER_BYTES, qp, fraction);
        this.write8x8(bytes, this.base8x8 + (2 * qp + inter) * QUANTISER_8X8_BYTES, qp, fraction);
      }
    }
  }

  intra(qp: number): Pointer {
    return this.base + 2 * qp * QUANTISER_BYTES;
  }

  inter(qp: number): Pointer {
    return this.base + (2 * qp + 1) * QUANTISER_BYTES;
  }

  intra8x8(qp: number): Pointer {
    return this.base8x8 + 2 * qp * QUANTISER_8X8_BYTES;
  }

  inter8x8(qp: number): Pointer {
    return this.base8x8 + (2 * qp + 1) * QUANTISER_8X8_BYTES;
  }

  private write4x4(view: DataView, at: Pointer, qp: number, fraction: number): void {
    const period = floor(qp / 6);
    const row = (qp % 6) * 16;
    for (let i = 0; i < 16; i++) {
      view.setUint16(at + 2 * i, QUANT_MF_4X4[row + i], true);
      view.setInt16(at + 32 + 2 * i, NORM_ADJUST_4X4[row + i] << period, true);
    }
    const shift = 15 + period;
    const offset = floor(fraction * 2 ** shift);
    view.setUint32(at + 64, offset, true);
    view.setUint32(at + 68, shift, true);
    view.setUint32(at + 72, 2 * offset, true);
    for (let i = 0; i < 16; i++) {
      const largest = floor((2 ** shift - offset - 1) / QUANT_MF_4X4[row + i]);
      view.setInt16(at + 80 + 2 * i, min(32767, largest), true);
    }
  }

  private write8x8(view: DataView, at: Pointer, qp: number, fraction: number): void {
    const period = floor(qp / 6);
    const row = (qp % 6) * 64;
    for (let i = 0; i < 64; i++) {
      view.setUint16(at + 2 * i, QUANT_MF_8X8[row + i], true);
      view.setInt16(at + 128 + 2 * i, NORM_ADJUST_8X8[row + i] << period, true);
    }
    const shift = 16 + period;
    view.setUint32(at + 256, floor(fraction * 2 ** shift), true);
    view.setUint32(at + 260, shift, true);
  }
}
