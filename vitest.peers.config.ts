import { configDefaults, defineConfig } from 'vitest/config';
import { goldenFiles } from './test/support/golden-files.ts';
import { testOptions } from './test/support/test-options.ts';

/** Files whose programs have ports and folders of their own, and which wait as much as they work: two run at once. */
const apart = [
  'test/peers/fleet{,-redis,-topologies}.test.ts',
  'test/peers/{hanging,s3}-store.test.ts',
  'test/peers/refused-uploads.test.ts',
  'test/peers/upstream{s,-digests}.test.ts',
];

const common = { testTimeout: 120_000, hookTimeout: 120_000, ...testOptions };

/** Tests with real programs: docker-registry, skopeo, containerd, podman. */
// biome-ignore lint/style/noDefaultExport: vitest wants one
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [goldenFiles()],
        test: { ...common, name: 'peers-apart', include: apart, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        plugins: [goldenFiles()],
        test: {
          ...common,
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...apart],
          // They share the machine, so one by one.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
