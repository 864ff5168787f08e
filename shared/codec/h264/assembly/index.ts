// Every exported kernel. Names, parameter order and meaning are those of the interfaces in kernels/; a pointer is followed by its
// stride. Built by scripts/build-kernels.ts into kernels/kernels-{plain,shared}.generated.ts.

export * from './deblock';
export * from './difference';
export * from './half-samples';
export * from './inter';
export * from './intra';
export * from './intra-costs';
export * from './quantize';
export * from './pixels';
export * from './transform';
