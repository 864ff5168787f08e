// Turns a colour description (H.273) into the affine map from stored Y'CbCr samples to R'G'B', for both renderers.
// H.273 8.3: equations for matrix_coefficients by Kr and Kb; limited range 16..235 / 16..240, full range 0..255.

import type { ColourDescription } from '../../shared/media/colour.ts';

/** R = yScale*(Y-yOffset) + rv*(V-128); G = ... - gu*(U-128) - gv*(V-128); B = ... + bu*(U-128); samples and result 0..255. */
export type ColourMatrix = {
  readonly yScale: number;
  readonly yOffset: number;
  readonly rv: number;
  readonly gu: number;
  readonly gv: number;
  readonly bu: number;
};

const UNSPECIFIED = 2;

// Kr, Kb by matrix_coefficients: 1 BT.709, 4 FCC, 5 BT.470BG, 6 SMPTE 170M (BT.601), 7 SMPTE 240M, 9 and 10 BT.2020.
const LUMA_WEIGHTS: Readonly<Record<number, readonly [number, number]>> = {
  1: [0.2126, 0.0722],
  4: [0.3, 0.11],
  5: [0.299, 0.114],
  6: [0.299, 0.114],
  7: [0.212, 0.087],
  9: [0.2627, 0.0593],
  10: [0.2627, 0.0593],
};

function isHd(size: { readonly width: number; readonly height: number }): boolean {
  return size.height >= 720 || size.width >= 1280;
}

/** matrix_coefficients that apply: where nothing is said, BT.709 from 720 lines (or 1280 columns) up, BT.601 below. */
export function effectiveMatrixCode(
  colour: ColourDescription,
  size: { readonly width: number; readonly height: number },
): number {
  return colour.matrix_coefficients === UNSPECIFIED ? (isHd(size) ? 1 : 6) : colour.matrix_coefficients;
}

/** The matrix for a picture. Codes without weights (RGB, reserved) are treated as unspecified. */
export function colourMatrix(
  colour: ColourDescription,
  size: { readonly width: number; readonly height: number },
): ColourMatrix {
  const [kr, kb] = LUMA_WEIGHTS[effectiveMatrixCode(colour, size)] ?? (isHd(size) ? [0.2126, 0.0722] : [0.299, 0.114]);
  const kg = 1 - kr - kb;
  const isFull = colour.video_full_range_flag;
  const chroma = isFull ? 1 : 255 / 224;
  return {
    yScale: isFull ? 1 : 255 / 219,
    yOffset: isFull ? 0 : 16,
    rv: 2 * (1 - kr) * chroma,
    gu: ((2 * kb * (1 - kb)) / kg) * chroma,
    gv: ((2 * kr * (1 - kr)) / kg) * chroma,
    bu: 2 * (1 - kb) * chroma,
  };
}
