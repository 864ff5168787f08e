// Constants that the kernels share with TypeScript: the same values as in kernels/kernels.ts (test/kernels compares the behaviour).

export const AVAILABLE_LEFT: i32 = 1;
export const AVAILABLE_TOP: i32 = 2;
export const AVAILABLE_TOP_RIGHT: i32 = 4;
export const AVAILABLE_TOP_LEFT: i32 = 8;
