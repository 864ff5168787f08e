// Entry of the reconstruction module, which decoder and encoder use. Names, parameter order and meaning of the exports are those of
// kernels/kernels.ts; a pointer is followed by its stride. Built by scripts/build-kernels.ts.

export {
  deblockChromaHorizontal,
  deblockChromaHorizontalStrong,
  deblockChromaVertical,
  deblockChromaVerticalStrong,
  deblockLumaHorizontal,
  deblockLumaHorizontalStrong,
  deblockLumaVertical,
  deblockLumaVerticalStrong,
} from './deblock';
export { boundaryStrengths, deblockRow } from './deblock-row';
export * from './inter';
export * from './intra';
export * from './transform';
export * from './residual';
export * from './cabac-residual';
