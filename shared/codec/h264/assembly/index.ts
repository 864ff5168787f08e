// Every export * from './deblock';
export * from './difference';
export * from './half-samples';
export * from './inter';
export * from './intra';
export * from './intra-costs';
export * from './quantize';
export * from './transform';
