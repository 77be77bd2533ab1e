import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock, systemWallClock } from '../../../../../src/clock.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import {
  createFileOperations,
  type FileOperations,
} from '../../../../../src/runtime/node/store/file-operations.ts';
import { createFolderFiles } from '../../../../../src/runtime/node/store/folder-files.ts';
import {
  createFolderSpace,
  type FolderSpaceOptions,
} from '../../../../../src/runtime/node/store/folder-space.ts';

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'regshift-folder-space-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function spaceOf(path: string, operations: FileOperations, metrics: Partial<FolderSpaceOptions['metrics']>) {
  return createFolderSpace({
    files: createFolderFiles(path, operations),
    bytes: 2 ** 40,
    clock: systemClock,
    wallClock: systemWallClock,
    log: () => {},
    metrics: { ...noMetrics, ...metrics },
  });
}

test('blobs that are stored during a search for blobs share the next one', async () => {
  const storeSize = vi.fn();
  const space = spaceOf(await newFolder(), createFileOperations({ places: 2 }), { storeSize });
  space.added(1);
  await Promise.resolve();
  // The first search has begun.
  for (let nth = 0; nth < 20; nth += 1) space.added(1);
  await space.prune(2 ** 40);
  // Those two, and the last one.
  expect(storeSize).toHaveBeenCalledTimes(3);
});

test('on a full disk, one search for blobs serves several new ones, and spares those that were used since', async () => {
  const path = await newFolder();
  const folder = join(path, 'blobs', 'sha256', 'ab');
  await mkdir(folder, { recursive: true });
  const fileOf = (nth: number) => join(folder, `ab${String(nth).padStart(62, '0')}.${'0'.repeat(32)}`);
  for (let nth = 1; nth <= 100; nth += 1) {
    await writeFile(fileOf(nth), 'x'.repeat(100));
    await utimes(fileOf(nth), nth, nth);
  }
  const operations = createFileOperations({ places: 2 });
  const run = vi.spyOn(operations, 'run');
  const space = spaceOf(path, operations, {});
  const left = async () => (await readdir(folder)).length;
  await space.full(150, 0, true);
  await expect.poll(left).toBe(98);
  expect(run.mock.calls.length).toBeGreaterThan(100);
  await utimes(fileOf(3), 1_000, 1_000);
  run.mockClear();
  await space.full(150, 0, true);
  await expect.poll(left).toBe(96);
  expect(run.mock.calls.length).toBeLessThan(10);
  expect([2, 3, 4, 5, 6].map((nth) => existsSync(fileOf(nth)))).toEqual([false, true, false, false, true]);
});

test('the first blobs on a full disk share one search for blobs', async () => {
  const storeSize = vi.fn();
  const space = spaceOf(await newFolder(), createFileOperations({ places: 2 }), { storeSize });
  const first = [1, 2, 3].map((size) => space.full(size, 0, true));
  expect((await Promise.allSettled(first)).map(({ status }) => status)).toEqual(first.map(() => 'rejected'));
  expect(storeSize).toHaveBeenCalledTimes(1);
});
