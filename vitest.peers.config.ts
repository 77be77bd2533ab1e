import { defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';
import { withoutProxies } from './test/support/without-proxies.ts';

/** Tests with real programs: docker-registry, skopeo, containerd, podman. They share the machine, so one by one. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  plugins: [goldenFiles()],
  test: {
    name: 'peers',
    include: ['test/peers/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    env: withoutProxies,
    hookTimeout: 120_000,
  },
});
