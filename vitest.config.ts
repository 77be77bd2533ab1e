import { availableParallelism } from 'node:os';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { configDefaults, defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';
import { testOptions } from './test/support/test-options.ts';

/** Tests of the core run in both runtimes; tests that open sockets or start programs run in Node alone. */
const inBothRuntimes = ['test/converters/**/*.test.ts', 'test/app/**/*.test.ts'];

/** Files that replace a module or change the environment of their process; all others share a process. */
const isolated = ['test/unit/auth/htpasswd.test.ts', 'test/unit/runtime/node/password-worker.test.ts'];

/** Tests of more than two seconds belong to `vitest.faults.config.ts`. */
const slow = 'test/**/*.slow.test.ts';

const common = {
  testTimeout: 30_000,
  ...testOptions,
  // Many tests wait for a deadline or for a program: two workers keep two cores busy.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};

// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [goldenFiles()],
        test: {
          ...common,
          name: 'node',
          include: [
            ...inBothRuntimes,
            'test/unit/**/*.test.ts',
            'test/wire/**/*.test.ts',
            'test/faults/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...isolated, slow],
          isolate: false,
        },
      },
      { test: { ...common, name: 'node-isolated', include: isolated } },
      {
        plugins: [
          goldenFiles(),
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { kvNamespaces: ['RECIPES'], r2Buckets: ['TEST_LAYERS'] },
          }),
        ],
        test: {
          ...common,
          name: 'workerd',
          include: [...inBothRuntimes, 'test/workerd/**/*.test.ts'],
          exclude: [...configDefaults.exclude, slow],
          isolate: false,
        },
      },
    ],
  },
});
