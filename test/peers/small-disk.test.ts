import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemWallClock } from '../../src/clock.ts';
import { type BlobName, type BlobStore, BlobTooLarge } from '../../src/layers/store/blob-store.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { createStoreOperations } from '../../src/runtime/node/store/file-operations.ts';
import { lookAtFolder } from '../../src/runtime/node/store/folder-place.ts';
import { createFolderStore } from '../../src/runtime/node/store/folder-store.ts';
import { storeBlob } from '../support/blob-stores.ts';
import { layerContent } from '../support/layer-content.ts';
import { requirePeers, runProgram } from '../support/programs.ts';

const MiB = 2 ** 20;

describe.skipIf(requirePeers('mount', 'umount'))('a folder for layers on a disk of 10 MiB', () => {
  let folder: string;
  let store: BlobStore;
  let stored: BlobName[];
  let now: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regshift-small-disk-'));
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', folder], tmpdir());
    store = createFolderStore({
      path: folder,
      bytes: 2 ** 40,
      clock: systemClock,
      wallClock: systemWallClock,
      log: () => undefined,
      metrics: noMetrics,
    });
    stored = [];
    now = 0;
    while (now < 8) {
      now += 1;
      stored.push(await storeBlob(store, layerContent(MiB - now)));
    }
  });
  afterEach(async () => {
    await runProgram('umount', ['-l', folder], tmpdir());
    await rm(folder, { recursive: true, force: true });
  });

  async function left(): Promise<Set<string>> {
    const digests = new Set<string>();
    for await (const { digest } of store.list?.() ?? []) digests.add(digest);
    return digests;
  }
  const all = () => new Set(stored.map(({ digest }) => digest));

  it('takes a layer of a known size, and loses no more layers than the room needs', async () => {
    const blob = await storeBlob(store, layerContent(4 * MiB));
    const found = await left();
    expect(found.has(blob.digest)).toBe(true);
    // Two MiB were free, and two more are needed, with a little for the file itself.
    expect(found.size).toBe(1 + stored.length - 3);
    expect(found.has(stored.at(-1)?.digest ?? '')).toBe(true);
  });

  it.each(['known', 'likely'])(
    'refuses a layer of more than the disk, by its %s size, and keeps all others',
    async (which) => {
      const name = { digest: stored[0]?.digest, size: 11 * MiB } as BlobName;
      const begun = which === 'known' ? store.write(name) : store.write(undefined, 11 * MiB);
      await expect(begun).rejects.toThrow(BlobTooLarge);
      expect(await left()).toEqual(all());
    },
  );

  it('keeps all layers when a layer of unknown size does not fit', async () => {
    const write = await store.write();
    const addAll = async () => {
      for (let at = 0; at < 32; at += 1) await write.add(layerContent(MiB));
    };
    await expect(addAll()).rejects.toThrow('ENOSPC');
    await write.abort();
    write.release?.();
    expect(await left()).toEqual(all());
    // The next write knows the size.
    await storeBlob(store, layerContent(3 * MiB));
    expect((await left()).size).toBe(1 + stored.length - 2);
  });

  it('makes room for the next try when others took the room meanwhile', async () => {
    const write = await store.write(undefined, 2 * MiB);
    await storeBlob(store, layerContent(MiB + 1));
    const add = async () => {
      for (let at = 0; at < 3; at += 1) await write.add(layerContent(MiB - 100));
    };
    await expect(add()).rejects.toThrow('ENOSPC');
    await write.abort();
    write.release?.();
    await expect.poll(async () => (await left()).size).toBe(stored.length + 1 - 2);
  });
});

it.skipIf(requirePeers('mount', 'umount')).each(['blobs', 'incoming'])(
  'a folder for layers whose %s are another mount of the same disk is refused',
  async (mounted) => {
    const folder = await mkdtemp(join(tmpdir(), 'regshift-mounts-'));
    const [at, other] = [join(folder, mounted), join(folder, 'other')];
    for (const each of [at, other]) await mkdir(each);
    await runProgram('mount', ['--bind', other, at], folder);
    try {
      const place = await lookAtFolder(folder, createStoreOperations());
      const found = `${folder}/blobs is on another file system or mount than ${folder}/incoming`;
      expect(place).toEqual({ problem: expect.stringContaining(found) });
      expect(await readdir(at)).toEqual([]);
    } finally {
      await runProgram('umount', [at], folder);
      await rm(folder, { recursive: true });
    }
    expect(await lookAtFolder(tmpdir(), createStoreOperations())).toBe('here');
  },
);
