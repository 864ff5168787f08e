// One Jest project per kind of test, all in native ESM through @swc/jest (why not ts-jest: docs/decisions/0001-toolchain.md).
const transform = {
  '^.+\\.tsx?$': [
    '@swc/jest',
    { jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: false } }, module: { type: 'es6' } },
  ],
};

const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: '.',
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform,
  ...extra,
});

export default {
  rootDir: '..',
  // For tests that name none: Jest's own 5 s are too few on a machine that is busy.
  testTimeout: 60_000,
  reporters: ['<rootDir>/test/support/totals-reporter.mjs'],
  projects: [
    ...['unit', 'kernels', 'closed-loop', 'conformance', 'soak'].map((name) => project(name)),
    ...['integration', 'e2e'].map((name) =>
      project(name, { setupFilesAfterEnv: ['<rootDir>/test/support/second-try.ts'] }),
    ),
  ],
};
