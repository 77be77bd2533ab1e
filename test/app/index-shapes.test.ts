import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { convertIndex } from '../../converters/indexes/convert-index.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';
import { type Answer, testApp } from '../support/app.ts';
import {
  addImage,
  addIndex,
  type BuiltDescriptor,
  type BuiltRepository,
  builtRepository,
  json,
  layerWith,
  linux,
} from '../support/built-repository.ts';
import { type EmbeddingClient, embeddingClients } from '../support/embedding-clients.ts';
import { type HeaderLine, manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex, ociLayerZstd } = mediaTypes;
const path = '/v2/team/app/manifests';

interface Entry extends BuiltDescriptor {
  readonly platform?: { readonly architecture: string };
}

const allHeaders: Readonly<Record<string, readonly HeaderLine[]>> = {
  ...manifestRequestHeaders,
  ...embeddingClients,
};
const headersOf = (client: OldClient | EmbeddingClient): readonly HeaderLine[] => allHeaders[client] ?? [];
const entriesOf = (answer: Answer) => (JSON.parse(answer.text()) as { manifests: Entry[] }).manifests;
const architecturesOf = (answer: Answer) => entriesOf(answer).map(({ platform }) => platform?.architecture);

function appOver(add: (built: BuiltRepository) => BuiltDescriptor, variables: Record<string, string> = {}) {
  const built = builtRepository('team/app');
  const root = add(built);
  const upstream = scriptedUpstream(built.serve(root));
  return { app: testApp(variables, upstream.fetch), built, root, upstream };
}

/** An index of two platforms, and of an inner index of two more. */
function nested(built: BuiltRepository): BuiltDescriptor {
  const image = (architecture: string) => {
    const platform = { os: 'linux', architecture };
    return { ...addImage(built, { platform, files: ['base', architecture] }), platform };
  };
  const inner = addIndex(built, [image('arm64'), image('s390x')]);
  return addIndex(built, [image('amd64'), inner, image('ppc64le')]);
}

describe('an index inside an index', () => {
  it.each(['Docker 20.10', 'Docker 28', 'skopeo', 'podman 4.3', 'podman 5.8', 'Buildah 1.28'] as const)(
    '%s, which cannot read it, gets one index with every platform, of the stored images',
    async (client) => {
      const { app, built } = appOver(nested);
      const answer = await app.get(`${path}/latest`, headersOf(client));
      expect([answer.status, answer.header('Content-Type')]).toEqual([200, ociIndex]);
      expect(architecturesOf(answer)).toEqual(['amd64', 'arm64', 's390x', 'ppc64le']);
      for (const entry of entriesOf(answer)) {
        expect(entry.size).toBe(built.manifests.get(entry.digest)?.bytes.length);
      }
      const again = await app.get(`${path}/${digestOf(answer.body)}`, headersOf(client));
      expect([again.status, digestOf(again.body)]).toEqual([200, digestOf(answer.body)]);
    },
  );

  it('is found by its digest on another replica', async () => {
    const first = appOver(nested);
    const answer = await first.app.get(`${path}/latest`, headersOf('Docker 20.10'));
    const other = appOver(nested);
    const again = await other.app.get(`${path}/${digestOf(answer.body)}`, headersOf('Docker 20.10'));
    expect([again.status, digestOf(again.body)]).toEqual([200, digestOf(answer.body)]);
  });

  it.each([
    'containerd HEAD',
    'containerd 2.2',
    'BuildKit 0.13',
    "Docker 28 with containerd's store",
  ] as const)('%s reads it, and gets the stored index', async (client) => {
    const { app, root } = appOver(nested);
    const answer = await app.get(`${path}/latest`, headersOf(client));
    expect(digestOf(answer.body)).toBe(root.digest);
  });

  it.each([
    ['Docker 1.13.1', dockerList],
    ['Docker 1.9.1', schema1Signed],
  ] as const)('%s gets %s of all of it', async (client, type) => {
    const { app } = appOver(nested);
    const answer = await app.get(`${path}/latest`, headersOf(client));
    expect(answer.header('Content-Type')).toBe(type);
    if (type === dockerList) {
      expect(architecturesOf(answer)).toEqual(['amd64', 'arm64', 's390x', 'ppc64le']);
    }
  });

  it('of the client’s only platform is the image that Docker 1.9 gets', async () => {
    const { app } = appOver((built) =>
      addIndex(built, [addIndex(built, [{ ...addImage(built), ...linux('amd64') }])]),
    );
    const answer = await app.get(`${path}/latest`, headersOf('Docker 1.9.1'));
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, schema1Signed]);
  });
});

/** The index of a BuildKit cache: layers, and a configuration in the place of an image. */
function cacheIndex(built: BuiltRepository): BuiltDescriptor {
  const layer = built.blob(ociLayerZstd, layerWith('cached').tar);
  const config = built.blob('application/vnd.buildkit.cacheconfig.v0', json({ layers: [], records: [] }));
  return addIndex(built, [layer, config]);
}

/** An index of an artifact alone. */
function artifactIndex(built: BuiltRepository): BuiltDescriptor {
  const artifactType = 'application/vnd.example.sbom';
  const config = built.blob('application/vnd.oci.empty.v1+json', json({}));
  const layers = [built.blob(artifactType, json({ packages: [] }))];
  const document = { schemaVersion: 2, mediaType: ociManifest, artifactType, config, layers };
  return addIndex(built, [{ ...built.manifest(ociManifest, document), artifactType }]);
}

/** An index whose image the registry has lost. */
function emptied(built: BuiltRepository): BuiltDescriptor {
  const lost = addImage(builtRepository('elsewhere'));
  return addIndex(built, [{ ...lost, ...linux('amd64') }]);
}

describe.each([
  ['the index of a BuildKit cache', cacheIndex],
  ['an index of artifacts', artifactIndex],
  ['an index whose image is lost', emptied],
  ['an empty index', (built: BuiltRepository) => addIndex(built, [])],
] as const)('%s', (_, add) => {
  it.each([
    'Docker 20.10',
    'Docker 28',
    'skopeo',
    'podman 4.3',
    'containerd HEAD',
    'BuildKit in Docker 20.10',
  ] as const)('goes out as it is stored to %s, which reads indexes', async (client) => {
    const { app, root } = appOver(add);
    const answer = await app.get(`${path}/latest`, headersOf(client));
    expect([answer.status, digestOf(answer.body)]).toEqual([200, root.digest]);
  });

  it.each(['Docker 1.9.1', 'Docker 1.13.1', 'Docker 19.03.3'] as const)(
    'is 404 for %s, with a code whose message Docker shows',
    async (client) => {
      const { app } = appOver(add);
      const answer = await app.get(`${path}/latest`, headersOf(client));
      expect(answer.status).toBe(404);
      if (add !== emptied) expect(answer.error().code).toBe('UNSUPPORTED');
    },
  );
});

/** The OCI index that the converters make of `twins` for clients of linux/amd64 without zstd. */
function convertOf(built: BuiltRepository, root: BuiltDescriptor, options: object) {
  const none = () => Promise.reject(new Error('not wanted'));
  const manifestOf = (digest: string) => built.manifests.get(digest)?.bytes.slice() ?? new Uint8Array();
  const { tar, diffId } = layerWith('amd64');
  const ports: ConversionPorts = {
    fetchManifest: async ({ digest }) => manifestOf(digest),
    fetchBlob: async ({ digest }) => built.blobs.get(digest)?.slice() ?? new Uint8Array(),
    sniffLayer: none,
    signingKey: none,
    layerFacts: async () => ({ compression: 'zstd', packedSize: 1, size: tar.length, diffId }),
  };
  const stored = readManifest(manifestOf(root.digest), ociIndex);
  if (stored.kind !== 'index') throw new Error('not an index');
  const layersOf = { os: 'linux', architecture: 'amd64' };
  return convertIndex(stored, 'oci', {
    ports,
    name: 'team/app',
    tag: '',
    unpackZstd: true,
    layersOf,
    ...options,
  });
}

const zstdLabel = { annotations: { 'io.github.containers.compression.zstd': 'true' } };

/** An index with a gzip and a zstd image for each of two platforms, as `podman push --add-compression` writes it. */
function twins(order: 'gzip first' | 'zstd first') {
  return (built: BuiltRepository): BuiltDescriptor => {
    const entries = ['amd64', 'arm64'].flatMap((architecture) => {
      const platform = { os: 'linux', architecture };
      const files = [architecture];
      const gzip = { ...addImage(built, { platform, files }), platform };
      const zstd = {
        ...addImage(built, { platform, files, layerType: ociLayerZstd }),
        platform,
        ...zstdLabel,
      };
      return order === 'gzip first' ? [gzip, zstd] : [zstd, gzip];
    });
    return addIndex(built, entries);
  };
}

describe.each(['gzip first', 'zstd first'] as const)('an index with both compressions, %s', (order) => {
  it.each(['Docker 20.10', 'Docker 1.13.1', 'Docker 19.03.3', 'BuildKit in Docker 20.10'] as const)(
    'leads %s, which cannot decompress zstd, to the gzip image, and no layer is read',
    async (client) => {
      const { app, upstream, built } = appOver(twins(order));
      const answer = await app.get(`${path}/latest`, headersOf(client));
      expect(answer.status).toBe(200);
      for (const architecture of ['amd64', 'arm64']) {
        const first = entriesOf(answer).find(({ platform }) => platform?.architecture === architecture);
        const image = await app.get(`${path}/${first?.digest}`, headersOf(client));
        const { layers } = JSON.parse(image.text()) as { layers: BuiltDescriptor[] };
        expect(layers.map(({ mediaType }) => mediaType)).toEqual([expect.stringMatching(/gzip$/)]);
        for (const { digest } of layers) expect(built.blobs.has(digest)).toBe(true);
      }
      const layersRead = upstream.asked
        .filter((request) => /GET .*\/blobs\//.test(request))
        .filter((request) => {
          const bytes = built.blobs.get(request.slice(request.indexOf('sha256:')));
          return bytes && bytes[0] !== '{'.charCodeAt(0);
        });
      expect(layersRead).toEqual([]);
    },
  );

  it.each(['Docker 20.10', 'BuildKit in Docker 20.10'] as const)(
    'leads %s to the gzip image where the form is pinned to oci, too',
    async (client) => {
      const { app } = appOver(twins(order), { REGSHIFT_FORMAT: 'oci' });
      const index = await app.get(`${path}/latest`, headersOf(client));
      expect([index.status, index.header('Content-Type')]).toEqual([200, ociIndex]);
      const image = await app.get(`${path}/${entriesOf(index)[0]?.digest}`, headersOf(client));
      expect(image.status).toBe(200);
      const { layers } = JSON.parse(image.text()) as { layers: BuiltDescriptor[] };
      expect(layers.map(({ mediaType }) => mediaType)).toEqual([expect.stringMatching(/gzip$/)]);
    },
  );

  it.each([{}, { preferGzip: true }])(
    'is found on another replica as it was made with %o',
    async (options) => {
      const { built, root, upstream } = appOver(twins(order));
      const converted = await convertOf(built, root, options);
      const answer = await testApp({}, upstream.fetch).get(
        `${path}/${converted.digest}`,
        headersOf('Docker 20.10'),
      );
      expect([answer.status, digestOf(answer.body)]).toEqual([200, converted.digest]);
    },
  );

  it('leads Docker 1.9 to the gzip image', async () => {
    const { app, built } = appOver(twins(order));
    const answer = await app.get(`${path}/latest`, headersOf('Docker 1.9.1'));
    const { fsLayers } = JSON.parse(answer.text()) as { fsLayers: { blobSum: string }[] };
    for (const { blobSum } of fsLayers) expect(built.blobs.get(blobSum)?.[0]).toBe(0x1f);
  });

  it.each(['podman 4.3', 'Docker 28', 'containerd HEAD'] as const)(
    'goes out as it is stored to %s, which can',
    async (client) => {
      const { app, root } = appOver(twins(order));
      const answer = await app.get(`${path}/latest`, headersOf(client));
      expect(digestOf(answer.body)).toBe(root.digest);
    },
  );
});

describe('an index with a zstd image, and an artifact for the same platform', () => {
  const artifactType = 'application/vnd.example.sbom';

  it.each(['Docker 20.10', 'Docker 1.13.1', 'Docker 1.9.1'] as const)(
    'has the image for %s, unpacked',
    async (client) => {
      const { app } = appOver((built) => {
        const image = { ...addImage(built, { files: ['base'], layerType: ociLayerZstd }), ...zstdLabel };
        const config = built.blob('application/vnd.oci.empty.v1+json', new TextEncoder().encode('{}'));
        const document = { schemaVersion: 2, mediaType: ociManifest, artifactType, config, layers: [] };
        const artifact = { ...built.manifest(ociManifest, document), artifactType };
        return addIndex(built, [
          { ...image, ...linux('amd64') },
          { ...artifact, ...linux('amd64') },
        ]);
      });
      const answer = await app.get(`${path}/latest`, headersOf(client));
      expect([answer.status, answer.status === 200 ? '' : answer.text()]).toEqual([200, '']);
      if (client === 'Docker 1.9.1') return;
      expect(architecturesOf(answer)).toEqual(['amd64']);
      const [entry] = entriesOf(answer);
      const image = await app.get(`${path}/${entry?.digest}`, headersOf(client));
      expect(image.text()).toContain(layerWith('base').diffId);
    },
  );
});

describe('an index with a zstd image for one version of Windows, and a gzip image for another one', () => {
  it.each(['Docker 20.10', 'Docker 1.13.1'] as const)('has both for %s', async (client) => {
    const windows = (version: string) => ({
      platform: { os: 'windows', architecture: 'amd64', 'os.version': version },
    });
    const { app } = appOver((built) => {
      const old = { ...addImage(built, { files: ['base'], layerType: ociLayerZstd }), ...zstdLabel };
      return addIndex(built, [
        { ...old, ...windows('10.0.17763.6532') },
        { ...addImage(built, { files: ['other'] }), ...windows('10.0.20348.2849') },
      ]);
    });
    await app.get(`${path}/latest`, headersOf(client));
    await app.settled();
    const answer = await app.get(`${path}/latest`, headersOf(client));
    expect(entriesOf(answer)).toHaveLength(2);
  });
});

describe('an update watcher, which names the OCI index and schema 2 but no OCI manifest', () => {
  const shapes: Readonly<Record<string, (built: BuiltRepository) => BuiltDescriptor>> = {
    'an OCI image': (built) => addImage(built),
    'an OCI index': (built) => addIndex(built, [{ ...addImage(built), ...linux('amd64') }]),
    'a schema 2 image': (built) => addImage(built, { mediaType: schema2 }),
    'a manifest list': (built) =>
      addIndex(built, [{ ...addImage(built, { mediaType: schema2 }), ...linux('amd64') }], dockerList),
  };

  it.each(Object.keys(shapes))('sees the digest of %s that Docker’s engine has pulled', async (shape) => {
    const { app, root } = appOver(shapes[shape] ?? addImage);
    const seen = await app.head(`${path}/latest`, headersOf('an update watcher'));
    const engine = await app.head(`${path}/latest`, headersOf('Docker 28'));
    expect(seen.header('Docker-Content-Digest')).toBe(engine.header('Docker-Content-Digest'));
    expect([seen.status, seen.header('Docker-Content-Digest')]).toEqual([200, root.digest]);
  });

  it('with an old engine beside it: 19.03.0–4 gets schema 2, although it names both', async () => {
    const { app } = appOver((built) => addImage(built));
    const answer = await app.get(`${path}/latest`, headersOf('Docker 19.03.3'));
    expect(answer.header('Content-Type')).toBe(schema2);
  });
});

describe('an entry that states a wrong size', () => {
  const wrong = (built: BuiltRepository) =>
    addIndex(built, [{ ...addImage(built), size: 7, ...linux('amd64') }]);

  it('is converted with the right size, and a header names the loss', async () => {
    const { app } = appOver(wrong);
    const answer = await app.get(`${path}/latest`, headersOf('Docker 1.13.1'));
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, dockerList]);
    expect(answer.header('Regshift-Conversion')).toContain('lost="$.manifests[0]"');
    const [entry] = entriesOf(answer);
    const child = await app.get(`${path}/${entry?.digest}`, headersOf('Docker 1.13.1'));
    expect([digestOf(child.body), child.body.length]).toEqual([entry?.digest, entry?.size]);
  });

  it('is the image that Docker 1.9 gets', async () => {
    const { app } = appOver(wrong);
    const answer = await app.get(`${path}/latest`, headersOf('Docker 1.9.1'));
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, schema1Signed]);
  });

  it('goes out as it is stored to a client that reads the index', async () => {
    const { app, root } = appOver(wrong);
    const answer = await app.get(`${path}/latest`, headersOf('Docker 20.10'));
    expect(digestOf(answer.body)).toBe(root.digest);
  });
});

describe('an index that names platforms as `uname -m` does', () => {
  const ofMachines = (built: BuiltRepository) =>
    addIndex(
      built,
      ['aarch64', 'x86_64'].map((architecture) => {
        const platform = { os: 'linux', architecture };
        return { ...addImage(built, { platform, files: [architecture] }), platform };
      }),
    );

  it.each([
    ['Docker 1.9.1', {}, schema1Signed],
    ['Docker 20.10', { REGSHIFT_INDEX: 'one' }, ociManifest],
  ] as const)('%s with %o gets the image of its machine', async (client, variables, type) => {
    const { app, root, built } = appOver(ofMachines, variables);
    const answer = await app.get(`${path}/latest`, headersOf(client));
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, type]);
    const index = new TextDecoder().decode(built.manifests.get(root.digest)?.bytes);
    const { manifests } = JSON.parse(index) as { manifests: Entry[] };
    expect(answer.header('Regshift-Source-Digest')).toBe(manifests[1]?.digest);
  });
});
