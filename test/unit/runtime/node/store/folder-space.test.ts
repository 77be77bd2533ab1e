import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock, systemWallClock } from '../../../../../src/clock.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import { createFileOperations } from '../../../../../src/runtime/node/store/file-operations.ts';
import { createFolderSpace } from '../../../../../src/runtime/node/store/folder-space.ts';

test('blobs that are stored during a search for blobs share the next one', async () => {
  const path = await mkdtemp(join(tmpdir(), 'regshift-folder-space-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const storeSize = vi.fn();
  const space = createFolderSpace({
    paths: { blobs: join(path, 'blobs'), incoming: join(path, 'incoming') },
    operations: createFileOperations({ places: 2 }),
    bytes: 2 ** 40,
    clock: systemClock,
    wallClock: systemWallClock,
    log: () => {},
    metrics: { ...noMetrics, storeSize },
  });
  space.added(1);
  await Promise.resolve();
  // The first search has begun.
  for (let nth = 0; nth < 20; nth += 1) space.added(1);
  await space.prune(2 ** 40);
  // Those two, and the last one.
  expect(storeSize).toHaveBeenCalledTimes(3);
});
