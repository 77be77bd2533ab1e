import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';
import { withoutProxies } from './test/support/without-proxies.ts';

const common = {
  testTimeout: 400_000,
  env: withoutProxies,
  // A test measures its own program: two at once would measure each other.
  fileParallelism: false,
  // A test that waits for a deadline costs nothing.
  maxConcurrency: 60,
};

/** Tests of seconds (`*.slow.test.ts`) and of minutes: upstreams that never end, thousands of rounds, load. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [goldenFiles()],
        test: {
          ...common,
          name: 'node',
          include: ['test/**/*.slow.test.ts', 'test/faults/long/**/*.test.ts'],
        },
      },
      {
        plugins: [goldenFiles(), cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { ...common, name: 'workerd', include: ['test/{app,converters}/**/*.slow.test.ts'] },
      },
    ],
  },
});
