import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Answer, testApp } from '../support/app.ts';
import {
  addImage,
  addIndex,
  type BuiltDescriptor,
  type BuiltRepository,
  builtRepository,
  layerWith,
  linux,
} from '../support/built-repository.ts';
import { type EmbeddingClient, embeddingClients } from '../support/embedding-clients.ts';
import { containerdGetHeaders, type HeaderLine, manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema2, dockerList, ociManifest, ociIndex, dockerLayerZstd, ociLayerZstd, ociLayerGzip, ociConfig } =
  mediaTypes;
const path = '/v2/team/app/manifests';

interface Manifest {
  readonly config: BuiltDescriptor;
  readonly layers: readonly BuiltDescriptor[];
  readonly manifests: readonly (BuiltDescriptor & { readonly platform: { readonly architecture: string } })[];
}

const parsed = (answer: Answer) => JSON.parse(answer.text()) as Manifest;
const isLayer = (built: BuiltRepository, request: string) =>
  /GET \S+\/blobs\//.test(request) &&
  !/config/.test(new TextDecoder().decode(built.blobs.get(request.slice(request.indexOf('sha256:')))));

function appOver(add: (built: BuiltRepository) => BuiltDescriptor) {
  const built = builtRepository('team/app');
  const root = add(built);
  const upstream = scriptedUpstream(built.serve(root));
  const app = testApp({}, upstream.fetch);
  const layersRead = () => upstream.asked.filter((request) => isLayer(built, request));
  return { app, built, root, layersRead };
}

const withDockersZstd = (built: BuiltRepository) =>
  addImage(built, { mediaType: schema2, layerType: dockerLayerZstd });
const withOciTypes = (layerType: string) => (built: BuiltRepository) =>
  addImage(built, { mediaType: schema2, configType: ociConfig, layerType });
const listOf = (image: (built: BuiltRepository) => BuiltDescriptor) => (built: BuiltRepository) =>
  addIndex(built, [{ ...image(built), ...linux('amd64') }], dockerList);

const skopeo: readonly (readonly [string, readonly HeaderLine[]])[] = [
  ['skopeo', manifestRequestHeaders.skopeo],
  ...(['podman 4.3', 'Buildah 1.28', 'CRI-O 1.34'] as const).map(
    (name) => [name, embeddingClients[name]] as const,
  ),
];
const withoutDockersZstd: readonly (readonly [string, readonly HeaderLine[]])[] = [
  ...skopeo,
  ...(
    ['containerd 1.6', 'BuildKit 0.11', "Docker 28 with containerd's store"] satisfies EmbeddingClient[]
  ).map((name) => [name, embeddingClients[name]] as const),
];

describe.each(withoutDockersZstd)('%s, which does not know Docker’s type for zstd layers', (_, headers) => {
  it('gets an OCI manifest of the same blobs, and no layer is read', async () => {
    const { app, root, built, layersRead } = appOver(withDockersZstd);
    const answer = await app.get(`${path}/latest`, headers);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, ociManifest]);
    const stored = JSON.parse(new TextDecoder().decode(built.manifests.get(root.digest)?.bytes)) as Manifest;
    const { layers, config } = parsed(answer);
    expect(layers).toEqual(stored.layers.map((layer) => ({ ...layer, mediaType: ociLayerZstd })));
    expect(config).toEqual({ ...stored.config, mediaType: ociConfig });
    expect(layersRead()).toEqual([]);
  });

  it('gets the same manifest by its digest, and the stored bytes by theirs', async () => {
    const { app, root } = appOver(withDockersZstd);
    const tagged = await app.get(`${path}/latest`, headers);
    const again = await app.get(`${path}/${digestOf(tagged.body)}`, headers);
    expect([again.status, again.body]).toEqual([200, tagged.body]);
    const direct = await app.get(`${path}/${root.digest}`, headers);
    expect([direct.status, digestOf(direct.body)]).toEqual([200, root.digest]);
    // containerd names the type that the HEAD told it.
    const named = [...headers.filter(([name]) => name !== 'Accept'), ['Accept', `${schema2}, */*`] as const];
    const stored = await app.get(`${path}/${root.digest}`, named);
    expect([stored.status, digestOf(stored.body)]).toEqual([200, root.digest]);
  });

  it('gets an OCI index of OCI manifests for a list of such images', async () => {
    const { app, layersRead } = appOver(listOf(withDockersZstd));
    const answer = await app.get(`${path}/latest`, headers);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, ociIndex]);
    const [child] = parsed(answer).manifests;
    expect(child).toMatchObject({ mediaType: ociManifest, platform: { architecture: 'amd64' } });
    const image = await app.get(`${path}/${child?.digest}`, headers);
    expect(parsed(image).layers.map(({ mediaType }) => mediaType)).toEqual([ociLayerZstd, ociLayerZstd]);
    expect(layersRead()).toEqual([]);
  });
});

it.each(['podman 5.8', 'containerd 2.2', 'BuildKit 0.13', 'Docker 28'] as const)(
  '%s knows Docker’s type for zstd layers, and gets the stored manifest',
  async (name) => {
    const { app, root } = appOver(withDockersZstd);
    const answer = await app.get(`${path}/latest`, embeddingClients[name]);
    expect([answer.status, digestOf(answer.body)]).toEqual([200, root.digest]);
  },
);

describe.each(skopeo)('%s, which refuses OCI types inside schema 2', (_, headers) => {
  it.each([ociLayerZstd, ociLayerGzip])('gets a manifest of one family for %s', async (layerType) => {
    const { app, layersRead } = appOver(withOciTypes(layerType));
    const answer = await app.get(`${path}/latest`, headers);
    const type = layerType === ociLayerZstd ? ociManifest : schema2;
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, type]);
    const { config, layers } = parsed(answer);
    for (const { mediaType } of [config, ...layers]) {
      expect(mediaType.startsWith('application/vnd.oci.')).toBe(type === ociManifest);
    }
    expect(layersRead()).toEqual([]);
  });

  it('gets a list whose images have one family', async () => {
    const { app } = appOver(listOf(withOciTypes(ociLayerGzip)));
    const answer = await app.get(`${path}/latest`, headers);
    const [child] = parsed(answer).manifests;
    const image = await app.get(`${path}/${child?.digest}`, headers);
    expect(image.status).toBe(200);
    const family =
      image.header('Content-Type') === schema2 ? 'application/vnd.docker.' : 'application/vnd.oci.';
    const { config, layers } = parsed(image);
    for (const { mediaType } of [config, ...layers]) expect(mediaType).toContain(family);
  });
});

it.each([ociLayerZstd, ociLayerGzip])(
  'containerd reads %s inside schema 2, and gets the stored manifest by the type that the tag led to',
  async (layerType) => {
    const { app, root } = appOver(withOciTypes(layerType));
    const head = await app.head(`${path}/latest`, embeddingClients['containerd 1.6']);
    expect(head.header('Docker-Content-Digest')).toBe(root.digest);
    const answer = await app.get(`${path}/${root.digest}`, containerdGetHeaders(schema2));
    expect([answer.status, digestOf(answer.body)]).toEqual([200, root.digest]);
  },
);

describe('BuildKit in Docker 20.10, which says containerd/1.6.20+unknown and may not decompress zstd', () => {
  const headers = embeddingClients['BuildKit in Docker 20.10'];
  const withZstd = (built: BuiltRepository) => addImage(built, { layerType: ociLayerZstd });

  it('gets plain layers by tag', async () => {
    const { app } = appOver(withZstd);
    const answer = await app.get(`${path}/latest`, headers);
    expect(parsed(answer).layers.map(({ digest }) => digest)).toEqual(
      ['base', 'top'].map((file) => layerWith(file).diffId),
    );
    const derived = await app.get(`${path}/${digestOf(answer.body)}`, headers);
    expect(derived.body).toEqual(answer.body);
    for (const { digest, size } of parsed(answer).layers) {
      const blob = await app.get(`/v2/team/app/blobs/${digest}`, headers);
      expect([digestOf(blob.body), blob.body.length]).toEqual([digest, size]);
    }
  });

  it('gets the stored bytes by their digest', async () => {
    const { app, root } = appOver(withZstd);
    const answer = await app.get(`${path}/${root.digest}`, headers);
    expect([answer.status, digestOf(answer.body)]).toEqual([200, root.digest]);
  });

  it('is not taken for a released containerd', async () => {
    const { app, root } = appOver(withZstd);
    const answer = await app.get(`${path}/latest`, embeddingClients['containerd 1.6']);
    expect(digestOf(answer.body)).toBe(root.digest);
  });
});

describe('an index that names a wrong type for its image', () => {
  it.each(['GET', 'HEAD'] as const)('%s of the image by containerd gets the stored bytes', async (method) => {
    const { app, root, built } = appOver((built) =>
      addIndex(built, [{ ...addImage(built), mediaType: schema2, ...linux('amd64') }]),
    );
    const [image] = [...built.manifests.keys()].filter((digest) => digest !== root.digest);
    const answer = await app.send(method, `${path}/${image}`, containerdGetHeaders(schema2));
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, ociManifest]);
    expect(answer.header('Docker-Content-Digest')).toBe(image);
  });

  it('is refused to a client that takes no other type', async () => {
    const { app, root } = appOver(addImage);
    const answer = await app.get(`${path}/${root.digest}`, { Accept: schema2 });
    expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
  });
});
