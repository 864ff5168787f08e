// Entry of the analysis module, which only the encoder uses: the exports of kernels/analysis-kernels.ts. Built by scripts/build-kernels.ts.

export * from './activity';
export * from './difference';
export * from './grid-strengths';
export * from './half-samples';
export * from './intra-costs';
export * from './motion-search';
export * from './quantize';
export * from './skip-run';
export * from './transform-8x8';
