/**
 * Stryker changes one place of the source at a time (a mutant), and runs the tests that reach it. A mutant that no test
 * notices has survived: it shows what no test says.
 */
// biome-ignore lint/style/noDefaultExport: Stryker wants one
export default {
  mutate: ['converters/**/*.ts', 'src/negotiation/**/*.ts', 'src/registry/**/*.ts'],
  mutator: {
    // Most strings are the words of messages. Strings of a format are held by the goldens.
    excludedMutations: ['StringLiteral'],
  },
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutants.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner', './test/mutants/survivors.js'],
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // A busy machine is slow without an endless loop.
  timeoutMS: 30_000,
  dryRunTimeoutMinutes: 20,
  // The sources run as they are, and tsc checks the types. Stryker 10 would read tsconfig.json with a function that
  // TypeScript 7 does not have (dist/src/sandbox/ts-config-preprocessor.js), and leaves a missing file alone.
  disableTypeChecks: false,
  tsconfigFile: 'no-tsconfig.json',
  ignorePatterns: ['dist', '.wrangler'],
  tempDirName: '.stryker/sandbox',
  incrementalFile: '.stryker/incremental.json',
  jsonReporter: { fileName: '.stryker/mutants.json' },
  reporters: ['progress-append-only', 'survivors', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, allowEmojis: false },
  thresholds: { high: 95, low: 90, break: 90 },
};
