// Draws how a picture was coded over it: kinds of macroblocks, QP as heat, motion vectors. Used by inspector.tsx; no state of its own.

import type { PictureInspection } from '../../shared/codec/h264/decoder/inspection.ts';
import {
  MB_DIRECT,
  MB_INTRA_16X16,
  MB_INTRA_4X4,
  MB_INTRA_8X8,
  MB_PCM,
  MB_SKIP,
} from '../../shared/codec/h264/macroblock/mb-types.ts';

/** What may be drawn, each on its own. */
export const LAYERS = ['types', 'qp', 'vectors'] as const;
export type Layer = (typeof LAYERS)[number];

const MB_SIZE = 16;
const MAX_QP = 51;
const BLOCKS = 4;
const VECTOR_COLOURS = ['#ffd400', '#00e5ff'] as const; // list 0, list 1

const INTER = { bit: 0, name: 'Inter', colour: '70 130 255' } as const;

/** Kinds in the order in which their bits are looked at, with what the legend says. */
export const KINDS = [
  { bit: MB_PCM, name: 'I_PCM', colour: '255 255 255' },
  { bit: MB_INTRA_16X16, name: 'Intra 16x16', colour: '255 80 60' },
  { bit: MB_INTRA_8X8, name: 'Intra 8x8', colour: '255 140 40' },
  { bit: MB_INTRA_4X4, name: 'Intra 4x4', colour: '255 60 160' },
  { bit: MB_SKIP, name: 'Skip', colour: '110 120 130' },
  { bit: MB_DIRECT, name: 'Direct', colour: '60 200 120' },
  INTER,
] as const;

/** The entry of KINDS for the kind bits of a macroblock. */
export function kindOf(bits: number): (typeof KINDS)[number] {
  return KINDS.find(({ bit }) => bit === 0 || (bits & bit) !== 0) ?? INTER;
}

/** Blue for fine, red for coarse. */
function heatColour(qp: number): string {
  return `hsl(${240 - (240 * Math.max(0, Math.min(MAX_QP, qp))) / MAX_QP} 90% 50% / 0.45)`;
}

/** The part of a picture that its crop rectangle shows, in a context of that size. */
export function drawInspection(
  context: CanvasRenderingContext2D,
  inspection: PictureInspection,
  layers: ReadonlySet<Layer>,
): void {
  const { canvas } = context;
  const { widthInMbs, heightInMbs, kinds, qp, cropLeft, cropTop } = inspection;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.save();
  context.translate(-cropLeft, -cropTop);
  for (let row = 0; row < heightInMbs; row += 1) {
    for (let column = 0; column < widthInMbs; column += 1) {
      const mb = row * widthInMbs + column;
      const [x, y] = [column * MB_SIZE, row * MB_SIZE];
      if (layers.has('qp')) {
        context.fillStyle = heatColour(qp[mb] ?? 0);
        context.fillRect(x, y, MB_SIZE, MB_SIZE);
      }
      if (layers.has('types')) {
        const { colour } = kindOf(kinds[mb] ?? 0);
        context.fillStyle = `rgb(${colour} / 0.3)`;
        context.strokeStyle = `rgb(${colour} / 0.7)`;
        context.fillRect(x, y, MB_SIZE, MB_SIZE);
        context.strokeRect(x + 0.5, y + 0.5, MB_SIZE - 1, MB_SIZE - 1);
      }
    }
  }
  if (layers.has('vectors')) {
    drawVectors(context, inspection);
  }
  context.restore();
}

/** A line from each 8x8 block to where it comes from, quarter samples made samples. */
function drawVectors(context: CanvasRenderingContext2D, inspection: PictureInspection): void {
  const { widthInMbs, heightInMbs, refs, vectors } = inspection;
  const perList = widthInMbs * heightInMbs * BLOCKS;
  for (const [list, colour] of VECTOR_COLOURS.entries()) {
    context.strokeStyle = colour;
    context.beginPath();
    for (let i = 0; i < perList; i += 1) {
      const at = list * perList + i;
      const [dx, dy] = [(vectors[2 * at] ?? 0) / 4, (vectors[2 * at + 1] ?? 0) / 4];
      if ((refs[at] ?? -1) < 0 || (dx === 0 && dy === 0)) {
        continue;
      }
      const mb = Math.floor(i / BLOCKS);
      const x = (mb % widthInMbs) * MB_SIZE + 8 * (i & 1) + 4;
      const y = Math.floor(mb / widthInMbs) * MB_SIZE + 4 * (i & 2) + 4;
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
  }
}

/** One sentence about the macroblock under a place of the shown picture, or null outside. */
export function describeAt(inspection: PictureInspection, x: number, y: number): string | null {
  const { widthInMbs, heightInMbs, kinds, qp, refs, vectors, cropLeft, cropTop } = inspection;
  const column = Math.floor((x + cropLeft) / MB_SIZE);
  const row = Math.floor((y + cropTop) / MB_SIZE);
  if (column < 0 || row < 0 || column >= widthInMbs || row >= heightInMbs) {
    return null;
  }
  const mb = row * widthInMbs + column;
  const motion = [0, 1].flatMap((list) => {
    const at = (list * widthInMbs * heightInMbs + mb) * BLOCKS;
    const ref = refs[at] ?? -1;
    return ref < 0 ? [] : [`L${list} ref ${ref} (${(vectors[2 * at] ?? 0) / 4}, ${(vectors[2 * at + 1] ?? 0) / 4})`];
  });
  return [`${column}, ${row}`, kindOf(kinds[mb] ?? 0).name, `QP ${qp[mb] ?? 0}`, ...motion].join(' · ');
}
