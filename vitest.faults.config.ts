import { defineConfig } from 'vitest/config';

/** What takes minutes: upstreams that never end, thousands of rounds, load. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    include: ['test/faults/long/**/*.test.ts'],
    testTimeout: 400_000,
    // Each measures a program of its own: two at once would measure each other.
    fileParallelism: false,
    // What waits for a deadline costs nothing.
    maxConcurrency: 60,
  },
});
