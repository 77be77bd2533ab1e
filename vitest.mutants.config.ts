import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { goldenFiles } from './test/support/golden-files.ts';
import { testOptions } from './test/support/test-options.ts';

/**
 * The folders of tests that `npm run mutants` runs, in their order: Stryker stops a mutant at the first failed test. The
 * commands come last, because they import modules within a test: the constants of a module that no other test has
 * imported before belong to that test alone, and other tests do not run for them.
 */
const folders = ['test/converters/', 'test/unit/', 'test/app/', 'test/unit/cli/'];

const allTests = [
  'test/converters/**/*.test.ts',
  'test/app/**/*.test.ts',
  'test/unit/negotiation-table.test.ts',
  'test/unit/{converters,http,negotiation,registry,routing,sample-registry}/**/*.test.ts',
  'test/unit/cli/commands/{check,convert,explain,inspect,verify}.test.ts',
];

/** Patterns of test files as JSON, from `npm run mutants -- --tests`. */
const chosen = process.env.MUTANT_TESTS;

/** Sorts the test files by folder: the tests of single parts are faster than those of the whole app. */
class FastestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      folders.findLastIndex((each) => moduleId.includes(each));
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** The fast tests of the three folders that `stryker.config.mjs` names, in Node: no program, no workerd. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  plugins: [goldenFiles()],
  test: {
    testTimeout: 120_000,
    ...testOptions,
    include: chosen ? JSON.parse(chosen) : allTests,
    exclude: [...configDefaults.exclude, 'test/**/*.slow.test.ts'],
    isolate: false,
    sequence: { sequencer: FastestFirst },
  },
});
