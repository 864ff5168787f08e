// Entry of the reconstruction module, which decoder and encoder use. Names, parameter order and meaning of the exports are those of
// kernels/kernels.ts; a pointer is followed by its stride. Built by scripts/build-kernels.ts.

export * from './deblock';
export * from './inter';
export * from './intra';
export * from './transform';
