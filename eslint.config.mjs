import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const hotGlobals = {
  selector: "MemberExpression[object.name='Math']",
  message:
    'Bind built-ins at module top (const { abs } = Math;): global look-ups are slow in the test runner (ARCHITECTURE.md, hot code).',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '**/*.generated.ts', 'shared/codec/h264/assembly/', 'data/', 'coverage/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      curly: ['error', 'all'],
      eqeqeq: 'error',
      complexity: ['error', 15],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/prefer-literal-enum-member': 'off',
    },
  },
  {
    files: ['shared/codec/**/*.ts', 'shared/pixels/**/*.ts', 'shared/bitstream/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', hotGlobals],
      complexity: 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  { files: ['shared/codec/**/tables/**'], rules: { 'max-lines': 'off' } },
  {
    files: ['shared/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'indexedDB', 'Worker', 'setTimeout', 'setInterval', 'location', 'navigator'].map(
          (name) => ({
            name,
            message: 'shared/ does no I/O, starts no threads and knows no clock: take it as a parameter.',
          }),
        ),
      ],
    },
  },
  {
    // The linter's compiler takes array.at() for never undefined here; tsc is the judge of these two.
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      complexity: 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  { files: ['scripts/**', 'server/cli/**'], rules: { 'no-console': 'off' } },
  prettier,
);
