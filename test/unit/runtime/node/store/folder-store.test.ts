import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { digestHex, digestOf } from '../../../../../converters/digest.ts';
import { systemClock, systemWallClock } from '../../../../../src/clock.ts';
import type { BlobStore, BlobWrite } from '../../../../../src/layers/store/blob-store.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import {
  createStoreOperations,
  type FileOperations,
} from '../../../../../src/runtime/node/store/file-operations.ts';
import { createFolderStore } from '../../../../../src/runtime/node/store/folder-store.ts';
import { describeBlobStore, describeNamingAtEnd, storeBlob } from '../../../../support/blob-stores.ts';
import { bytesOf } from '../../../../support/byte-streams.ts';
import { regshift } from '../../../../support/cli.ts';
import { layerContent } from '../../../../support/layer-content.ts';

const folders: string[] = [];
const paths = new WeakMap<BlobStore, string>();

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'regshift-store-'));
  folders.push(path);
  return path;
}

function storeIn(path: string, bytes = 2 ** 40): BlobStore {
  const log = vi.fn();
  const store = createFolderStore({
    path,
    bytes,
    clock: systemClock,
    wallClock: systemWallClock,
    log,
    metrics: noMetrics,
  });
  paths.set(store, path);
  return store;
}

const openStore = async () => storeIn(await newFolder());

function fileOf(path: string, digest: string): string {
  const hex = digestHex(digest as never);
  return join(path, 'blobs', 'sha256', hex.slice(0, 2), hex);
}

describeBlobStore('a folder', openStore, async (store, digest, bytes) => {
  await writeFile(fileOf(paths.get(store) ?? '', digest), bytes);
});
describeNamingAtEnd('a folder', openStore);

async function usedAt(path: string, digest: string, time: Date): Promise<void> {
  await utimes(fileOf(path, digest), time, time);
}

async function digestsOf(store: BlobStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { digest } of store.list?.() ?? []) found.push(digest);
  return found;
}

test('the blobs that were used longest ago make room, down to nine tenths', async () => {
  const path = await newFolder();
  const store = storeIn(path, 1_000);
  const blobs = [];
  for (const size of [301, 302, 303]) blobs.push(await storeBlob(store, layerContent(size)));
  const [first, second, third] = blobs;
  await usedAt(path, second?.digest ?? '', new Date('2020-01-01'));
  await usedAt(path, third?.digest ?? '', new Date('2021-01-01'));
  await usedAt(path, first?.digest ?? '', new Date('2022-01-01'));
  const last = await storeBlob(store, layerContent(304));
  await vi.waitFor(async () => {
    expect(new Set(await digestsOf(store))).toEqual(new Set([first?.digest, last.digest]));
  });
});

test('a read counts as use', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const blob = await storeBlob(store, layerContent(10));
  await usedAt(path, blob.digest, new Date('2020-01-01'));
  await (await store.read(blob))?.cancel();
  expect((await stat(fileOf(path, blob.digest))).mtime.getFullYear()).toBeGreaterThan(2020);
});

test('the end of a process stores the blobs that are being made visible, and leaves no file of another', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const bytes = layerContent(300_000);
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const whole = await store.write(blob);
  await whole.add(bytes);
  const half = await store.write();
  await half.add(bytes.subarray(0, 1000));
  void whole.commit(blob);
  await store.end?.();
  expect(await readdir(join(path, 'incoming'))).toEqual([]);
  const stream = await store.read(blob);
  expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
  await Promise.all([whole, half].map(close));
});

/** Closes the file of a write: one that is left to the garbage collector prints a warning into a later test. */
async function close(write: BlobWrite): Promise<void> {
  await write.abort();
  write.release?.();
}

test('a write that begins while a process ends leaves no file', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  await close(await store.write());
  const begun: Promise<BlobWrite>[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    begun.push(store.write());
    await new Promise((resolve) => setImmediate(resolve));
  }
  const ended = store.end?.();
  begun.push(store.write());
  await Promise.all([ended, ...begun.map((each) => each.catch(() => undefined))]);
  await Promise.all(begun.map((each) => each.then(close).catch(() => undefined)));
  expect(await readdir(join(path, 'incoming'))).toEqual([]);
});

test('a reader keeps a blob that is removed meanwhile', async () => {
  const store = await openStore();
  const bytes = layerContent(2_000_000);
  const blob = await storeBlob(store, bytes);
  const stream = await store.read(blob);
  await store.delete(blob);
  expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
});

test('a damaged blob on a file system that is read-only is a miss, and no error of the store', async () => {
  const path = await newFolder();
  const { digest } = await storeBlob(storeIn(path), layerContent(100));
  const operations = createStoreOperations();
  const readOnly: FileOperations = {
    ...operations,
    run: (kind, work, options) =>
      String(work).includes('unlink')
        ? Promise.reject(new Error('EROFS: read-only file system'))
        : operations.run(kind, work, options),
  };
  const log = vi.fn();
  const [clock, wallClock, metrics] = [systemClock, systemWallClock, noMetrics];
  const store = createFolderStore({ path, bytes: 1e9, clock, wallClock, log, metrics, operations: readOnly });
  expect(await store.read({ digest, size: 101 })).toBeUndefined();
  expect(await store.head({ digest })).toBe(100);
  expect(log.mock.calls).toMatchObject([
    [
      'warn',
      'a stored layer is damaged and cannot be removed',
      { reason: 'it has 100 bytes, and not 101 bytes', error: expect.stringContaining('EROFS') },
    ],
  ]);
});

test('the read of a file that is cut off meanwhile fails', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const blob = await storeBlob(store, layerContent(2_000_000));
  const stream = await store.read(blob);
  await truncate(fileOf(path, blob.digest), 1_000_000);
  await expect(bytesOf(stream as ReadableStream<Uint8Array>)).rejects.toThrow(
    'the file ends at its byte 1000000',
  );
});

test('a write of more bytes than the store may have is refused before it fills the disk', async () => {
  const path = await newFolder();
  const store = storeIn(path, 1_000);
  const write = await store.write();
  await write.add(layerContent(900));
  await expect(write.add(layerContent(101))).rejects.toThrow('REGSHIFT_STORE_BYTES');
  await write.abort();
  write.release?.();
  await expect(store.write({ digest: digestOf(layerContent(5)), size: 1_001 })).rejects.toThrow();
  expect(await readdir(join(path, 'incoming'))).toEqual([]);
});

test('files of ended writers are removed, and those of others are not', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  await mkdir(join(path, 'incoming'));
  const [old, young] = ['old', 'young'].map((name) => join(path, 'incoming', name));
  await writeFile(old ?? '', 'left');
  await writeFile(young ?? '', 'in progress');
  await utimes(old ?? '', new Date('2020-01-01'), new Date('2020-01-01'));
  await store.prune?.();
  expect(await readdir(join(path, 'incoming'))).toEqual(['young']);
});

test('an entry that cannot be removed or read does not keep layers from making room', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const blob = await storeBlob(store, layerContent(3_000));
  await mkdir(join(path, 'incoming', 'folder'), { recursive: true });
  await utimes(join(path, 'incoming', 'folder'), new Date('2020-01-01'), new Date('2020-01-01'));
  // unlink(2) says EISDIR, or EPERM, for a folder in the place of a layer.
  await mkdir(join(path, 'blobs', 'sha256', 'aa', 'a'.repeat(64)), { recursive: true });
  expect(await store.prune?.(0)).toEqual({ blobs: 1, bytes: blob.size });
  expect(await digestsOf(store)).toEqual([]);
});

test('other files in the folder stay, and are no blobs', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  await mkdir(join(path, 'blobs', 'sha256', 'ab'), { recursive: true });
  await writeFile(join(path, 'blobs', 'sha256', 'ab', 'notes.txt'), 'mine');
  const hex = 'ab'.repeat(32);
  for (const name of [`${hex}.part`, `${hex}.${hex}`, `${hex}.`, `.${hex}`]) {
    await writeFile(join(path, 'blobs', 'sha256', 'ab', name), 'mine');
  }
  await writeFile(join(path, 'blobs', 'README'), 'mine');
  expect(await digestsOf(store)).toEqual([]);
  await store.prune?.(0);
  expect(await readdir(join(path, 'blobs'))).toEqual(['README', 'sha256']);
  expect(await readdir(join(path, 'blobs', 'sha256', 'ab'))).toHaveLength(5);
});

test('a FIFO in the place of a layer is a miss, which holds no thread, and the next write replaces it', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const blobs = Array.from({ length: 6 }, (_, at) => layerContent(100 + at));
  for (const bytes of blobs) {
    const file = fileOf(path, digestOf(bytes));
    await mkdir(dirname(file), { recursive: true });
    execFileSync('mkfifo', [file]);
  }
  const looks = blobs.map((bytes) => store.read({ digest: digestOf(bytes), size: bytes.length }));
  expect(await Promise.all(looks)).toEqual(blobs.map(() => undefined));
  for (const bytes of blobs) expect(await store.head({ digest: digestOf(bytes) })).toBeUndefined();
  const [first = new Uint8Array()] = blobs;
  const blob = await storeBlob(store, first);
  const stream = await store.read(blob);
  expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
});

test('regshift store verify reads each layer, and leaves the order in which they were used', async () => {
  const path = await newFolder();
  const store = storeIn(path);
  const blob = await storeBlob(store, layerContent(301));
  const used = new Date('2020-01-01');
  await usedAt(path, blob.digest, used);
  const { code, json } = await regshift(['store', 'verify', '--json'], {
    env: { REGSHIFT_STORE: `file://${path}` },
  });
  expect([code, json()]).toEqual([0, { layers: 1, damaged: [] }]);
  expect((await stat(fileOf(path, blob.digest))).mtime).toEqual(used);
  // A client's read is a use.
  await (await store.read(blob))?.cancel();
  expect((await stat(fileOf(path, blob.digest))).mtime).not.toEqual(used);
});
