import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { configDefaults, defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';
import { testOptions } from './test/support/test-options.ts';

/** Files that mostly wait, for a deadline or for a slow peer, and measure no program: many run at once. */
const waiting = [
  'test/app/{mirrors,ping,push-kills}.slow.test.ts',
  'test/faults/long/slow-{clients,upstream}.test.ts',
  'test/wire/*.slow.test.ts',
];

const common = {
  testTimeout: 400_000,
  ...testOptions,
  // A test that waits for a deadline costs nothing.
  maxConcurrency: 60,
};

const together = { ...common, maxWorkers: 4, sequence: { groupOrder: 0 } };

/** A test measures its own program: two at once would measure each other. */
const alone = { ...common, fileParallelism: false, sequence: { groupOrder: 1 } };

/** Tests of seconds (`*.slow.test.ts`) and of minutes: upstreams that never end, thousands of rounds, load. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    projects: [
      { plugins: [goldenFiles()], test: { ...together, name: 'node-waiting', include: waiting } },
      {
        plugins: [goldenFiles(), cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { ...together, name: 'workerd', include: ['test/{app,converters}/**/*.slow.test.ts'] },
      },
      {
        plugins: [goldenFiles()],
        test: {
          ...alone,
          name: 'node',
          include: ['test/**/*.slow.test.ts', 'test/faults/long/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...waiting],
        },
      },
    ],
  },
});
