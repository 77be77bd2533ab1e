import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { regshift } from '../support/cli.ts';
import type { Client } from '../support/clients/client.ts';
import { startContainerd } from '../support/clients/containerd.ts';
import { startDocker } from '../support/clients/docker.ts';
import { startPodman } from '../support/clients/podman.ts';
import { readTree } from '../support/file-tree.ts';
import { loadV1Archive } from '../support/load-v1-archive.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { unpackByUmoci } from '../support/umoci.ts';
import { filesOfV1 } from '../support/v1-files.ts';

const missing = requirePeers(
  ...['docker-registry', 'skopeo', 'umoci', 'dockerd', 'docker', 'podman', 'containerd', 'ctr'],
);

const images = ['oci', 'zstd', 'schema2', 'generic', 'index', 'list'] as const;

describe.skipIf(missing)('regshift save', () => {
  let registry: RealRegistry;
  let host: string;
  let home: string;
  beforeAll(async () => {
    registry = await startRealRegistry();
    host = new URL(registry.url).host;
    home = await mkdtemp(join(tmpdir(), 'regshift-save-'));
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function saved(
    name: string,
    client: string,
  ): Promise<{ archive: string; image: string; id: string }> {
    const image = `${host}/real/${name}:latest`;
    const archive = join(home, `${name}-${client}.tar`);
    const { code, err, json } = await regshift(['save', image, '--for', client, '-o', archive, '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return { archive, image, id: json<{ id: string }>().id };
  }

  async function loaded(
    start: () => Promise<Client>,
    { archive, image }: { archive: string; image: string },
  ) {
    const client = await start();
    try {
      return await readTree((await client.load?.(archive, image)) ?? '');
    } finally {
      await client.stop();
    }
  }

  it.each(images)('%s for docker-1.9: a reader of its description has the files', async (name) => {
    const { archive, image, id } = await saved(name, 'docker-1.9');
    const found = (await loadV1Archive(archive)).get(image);
    expect(found?.ids[0]).toBe(id);
    expect(found && (await filesOfV1(found, home))).toEqual(registry.files);
  });

  it.each(['oci', 'zstd'])(
    '%s for docker-1.9: dockerd loads it by its code for old archives',
    async (name) => {
      expect(await loaded(startDocker, await saved(name, 'docker-1.9'))).toEqual(registry.files);
    },
  );

  it.each(images)('%s for docker-20.10: dockerd and podman load it, skopeo copies it', async (name) => {
    const made = await saved(name, 'docker-20.10');
    expect(await loaded(startDocker, made)).toEqual(registry.files);
    expect(await loaded(startPodman, made)).toEqual(registry.files);
    expect(await readTree(await unpackByUmoci(`docker-archive:${made.archive}`, home))).toEqual(
      registry.files,
    );
  });

  it.each(images)('%s for docker-28: podman loads it, skopeo reads both forms in it', async (name) => {
    const made = await saved(name, 'docker-28');
    expect(await loaded(startPodman, made)).toEqual(registry.files);
    for (const transport of ['docker-archive', 'oci-archive']) {
      expect(await readTree(await unpackByUmoci(`${transport}:${made.archive}`, home))).toEqual(
        registry.files,
      );
    }
  });

  it.each(['docker-1.9', 'docker-20.10', 'docker-28'])(
    '%s: the bytes are the same each time',
    async (client) => {
      const first = await readFile((await saved('oci', client)).archive);
      expect((await readFile((await saved('oci', client)).archive)).equals(first)).toBe(true);
    },
  );

  it('dockerd loads an archive for docker-28 whose layers it can read', async () => {
    expect(await loaded(startDocker, await saved('oci', 'docker-28'))).toEqual(registry.files);
  });

  it.each(images)('%s for containerd-1.6: ctr imports it', async (name) => {
    expect(await loaded(startContainerd, await saved(name, 'containerd-1.6'))).toEqual(registry.files);
  });
});
