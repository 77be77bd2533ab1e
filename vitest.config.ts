import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';

/** Tests of the core run in both runtimes; those that open sockets or start programs run in Node alone. */
const inBothRuntimes = ['test/converters/**/*.test.ts', 'test/app/**/*.test.ts'];

// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [goldenFiles()],
        test: {
          name: 'node',
          include: [
            ...inBothRuntimes,
            'test/unit/**/*.test.ts',
            'test/wire/**/*.test.ts',
            'test/faults/*.test.ts',
          ],
          testTimeout: 30_000,
        },
      },
      {
        plugins: [
          goldenFiles(),
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { kvNamespaces: ['RECIPES'] },
          }),
        ],
        test: {
          name: 'workerd',
          include: [...inBothRuntimes, 'test/workerd/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
    ],
  },
});
