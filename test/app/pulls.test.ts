import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { givenCells } from '../support/given-forms.ts';
import type { OldClient } from '../support/old-clients.ts';
import { layersOf, pull } from '../support/pull.ts';

const app = testApp();

const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];

/** podman's family and containerd 1.6 decompress zstd; Docker before 23 does not. */
const readsZstd = (client: OldClient) => !client.startsWith('Docker');

describe.each(givenCells)('$client pulls $sample', ({ sample, client }) => {
  it('and gets every referenced manifest, config and layer with the bytes of its digest', async () => {
    const { blobs } = await pull(app, client, sample);
    expect(blobs.size).toBeGreaterThan(0);
  });

  it('and every size in its documents is right', async () => {
    const { root, manifests, blobs } = await pull(app, client, sample);
    const documents = [root, ...manifests.values()].map((each) => JSON.parse(each.text()));
    const stated = documents.flatMap(({ config, layers = [], manifests: children = [] }) =>
      [config, ...layers, ...children].filter(Boolean),
    ) as { digest: string; size: number }[];
    for (const { digest, size } of stated) {
      expect(size).toBe((manifests.get(digest)?.body ?? blobs.get(digest))?.length);
    }
  });

  it('and gets layers that it can decompress', async () => {
    const { root, manifests, blobs } = await pull(app, client, sample);
    const layers = [root, ...manifests.values()].flatMap(({ body }) => layersOf(body));
    expect(layers.length).toBeGreaterThan(0);
    if (readsZstd(client)) return;
    const isZstd = (digest: string) => zstdMagic.every((byte, index) => blobs.get(digest)?.[index] === byte);
    expect(layers.filter(isZstd)).toEqual([]);
  });
});

describe('the samples with zstd layers', () => {
  it.each(['sample/oci-zstd', 'sample/index-zstd'])(
    '%s is not converted for a client that decompresses zstd',
    async (sample) => {
      const { root } = await pull(app, 'skopeo', sample);
      expect(root.header('Regshift-Conversion')).toBeNull();
    },
  );
});
