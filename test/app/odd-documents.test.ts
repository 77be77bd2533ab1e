import { describe, expect, it } from 'vitest';
import { readSigningKey } from '../../converters/crypto/signing-key.ts';
import { digestOf } from '../../converters/digest.ts';
import { signSchema1 } from '../../converters/formats/schema1/sign.ts';
import type { GoTime } from '../../converters/json/go-time.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type RequestHeaders, testApp } from '../support/app.ts';
import {
  addImage,
  type BuiltDescriptor,
  type BuiltRepository,
  builtRepository,
  compressedFor,
  layerWith,
} from '../support/built-repository.ts';
import { embeddingClients } from '../support/embedding-clients.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { testSigningKey } from '../support/signing-key.ts';

const { schema1, schema1Signed, schema2, ociManifest, dockerLayerGzip } = mediaTypes;
const path = '/v2/team/app/manifests';
const pretty = (value: object) => new TextEncoder().encode(JSON.stringify(value, undefined, 3));
const signingKey = await readSigningKey(JSON.stringify(testSigningKey));
const sign = (payload: Uint8Array) => signSchema1(payload, signingKey, '2024-05-06T07:08:09Z' as GoTime);

function appOver(add: (built: BuiltRepository) => BuiltDescriptor, namesDigest = true) {
  const built = builtRepository('team/app');
  const root = add(built);
  const serve = built.serve(root);
  const upstream = scriptedUpstream(async (request, url) => {
    const answer = await serve(request, url);
    if (!answer || namesDigest) return answer;
    const headers = new Headers(answer.headers);
    headers.delete('Docker-Content-Digest');
    return new Response(answer.body, { status: answer.status, headers });
  });
  return { app: testApp({}, upstream.fetch), root };
}

/** A schema 1 payload with this chain of v1 images, and a layer for each. */
function payloadOf(built: BuiltRepository, chain: readonly object[], more: object = {}): Uint8Array {
  const bytes = compressedFor(dockerLayerGzip, layerWith('file').tar);
  const blobSum = built.blob(dockerLayerGzip, bytes).digest;
  return pretty({
    schemaVersion: 1,
    name: 'team/app',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: chain.map(() => ({ blobSum })),
    history: chain.map((entry) => ({ v1Compatibility: JSON.stringify(entry) })),
    ...more,
  });
}

const chains: Readonly<Record<string, readonly object[]>> = {
  'a chain whose id is no id': [{ id: 'abc' }],
  'an empty chain': [],
  'a chain whose parents do not match': [
    { id: 'a'.repeat(64), parent: 'b'.repeat(64) },
    { id: 'c'.repeat(64) },
  ],
};
const signed = await Promise.all(
  Object.entries(chains).map(async ([name, chain]) => {
    const payload = payloadOf(builtRepository('x'), chain);
    return [name, { payload, bytes: await sign(payload) }] as const;
  }),
);

describe.each(signed)('stored schema 1 with %s', (_, { payload, bytes }) => {
  const asSigned = (built: BuiltRepository) => built.manifest(schema1Signed, bytes, digestOf(payload));
  const asUnsigned = (built: BuiltRepository) => built.manifest(schema1, payload);
  const readers: readonly (readonly [string, RequestHeaders])[] = [
    ['Docker 1.9', manifestRequestHeaders['Docker 1.9.1']],
    ['Docker 1.13', manifestRequestHeaders['Docker 1.13.1']],
    ['Docker 20.10', manifestRequestHeaders['Docker 20.10']],
    ['skopeo', manifestRequestHeaders.skopeo],
    ['a client that takes anything', { Accept: '*/*' }],
  ];

  it.each(readers)(
    'goes out as it is stored to %s, by tag and by the digest of the payload',
    async (_name, headers) => {
      for (const namesDigest of [true, false]) {
        const { app, root } = appOver(asSigned, namesDigest);
        const answer = await app.get(`${path}/latest`, headers);
        expect([answer.status, answer.body]).toEqual([200, bytes]);
        expect(answer.header('Docker-Content-Digest')).toBe(root.digest);
        const again = await app.get(`${path}/${root.digest}`, headers);
        expect([again.status, again.body]).toEqual([200, bytes]);
      }
    },
  );

  it.each(readers)('goes out as it is stored without a signature to %s', async (_name, headers) => {
    const { app } = appOver(asUnsigned);
    const answer = await app.get(`${path}/latest`, headers);
    expect([answer.status, answer.body]).toEqual([200, payload]);
  });

  it.each([
    ['containerd', embeddingClients['containerd 2.2']],
    ['Docker 28', embeddingClients['Docker 28']],
    ['a client of schema 2 alone', { Accept: schema2 }],
  ] as const)('is 404 UNSUPPORTED for %s, which reads no schema 1', async (_name, headers) => {
    const { app } = appOver(asSigned);
    const answer = await app.get(`${path}/latest`, headers);
    expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
  });

  it('is 502 where its payload is not the one that the digest names', async () => {
    const changed = new TextEncoder().encode(
      new TextDecoder().decode(bytes).replace('"team/app"', '"team/pay"'),
    );
    const { app, root } = appOver((built) => built.manifest(schema1Signed, changed, digestOf(payload)));
    const answer = await app.get(`${path}/${root.digest}`, { Accept: '*/*' });
    expect(answer.status).toBe(502);
  });
});

describe('a document that two programs read as two images', () => {
  const ambiguous: Readonly<Record<string, (built: BuiltRepository) => BuiltDescriptor>> = {
    'an image with manifests': (built) => addImage(built, { manifest: { manifests: [] } }),
    'an image that says that it is an index': (built) =>
      addImage(built, { manifest: { mediaType: mediaTypes.ociIndex } }),
    'a key that comes twice': (built) => {
      const { digest } = addImage(built);
      const text = new TextDecoder().decode(built.manifests.get(digest)?.bytes);
      return built.manifest(ociManifest, new TextEncoder().encode(text.replace('{', '{"layers":[],')));
    },
    'schema 1 with layers': (built) =>
      built.manifest(schema1, payloadOf(built, [{ id: 'a'.repeat(64) }], { layers: [] })),
  };
  const clients = [...Object.values(manifestRequestHeaders), { Accept: '*/*' }];

  it.each(Object.keys(ambiguous))('%s is 404 UNSUPPORTED for every client', async (name) => {
    for (const headers of clients) {
      const { app, root } = appOver(ambiguous[name] ?? addImage);
      for (const reference of ['latest', root.digest]) {
        const answer = await app.get(`${path}/${reference}`, headers);
        expect([answer.status, answer.error().code, answer.error().detail?.reason]).toEqual([
          404,
          'UNSUPPORTED',
          'AMBIGUOUS',
        ]);
      }
    }
  });

  it('signed schema 1 with layers is 404 UNSUPPORTED, and its digest still verifies', async () => {
    const payload = payloadOf(builtRepository('x'), [{ id: 'a'.repeat(64) }], { layers: [] });
    const bytes = await sign(payload);
    const { app } = appOver((built) => built.manifest(schema1Signed, bytes, digestOf(payload)));
    const answer = await app.get(`${path}/latest`, { Accept: '*/*' });
    expect([answer.status, answer.error().detail?.reason]).toEqual([404, 'AMBIGUOUS']);
  });
});

describe('a document of an unknown kind', () => {
  const unknown = (built: BuiltRepository) =>
    built.manifest('application/vnd.example.bundle+json', { schemaVersion: 2, invocationImages: [] });

  it.each([
    ['that takes anything', { Accept: '*/*' }],
    ['that names its type', { Accept: `application/vnd.example.bundle+json, ${schema2}` }],
  ])('goes out as it is stored to a client %s', async (_, headers) => {
    const { app, root } = appOver(unknown);
    const answer = await app.get(`${path}/latest`, headers);
    expect([answer.status, digestOf(answer.body)]).toEqual([200, root.digest]);
    expect(answer.header('Content-Type')).toBe('application/vnd.example.bundle+json');
  });

  it('is 404 UNSUPPORTED for Docker', async () => {
    for (const client of ['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10'] as const) {
      const answer = await appOver(unknown).app.get(`${path}/latest`, manifestRequestHeaders[client]);
      expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
    }
  });
});

describe('a history that names fewer layers than there are', () => {
  const created = '1980-01-01T00:00:01Z';
  const histories: Readonly<Record<string, readonly object[] | undefined>> = {
    'no history': undefined,
    'an empty history': [],
    'one entry for three layers': [{ created, created_by: 'nix' }],
    'entries without a layer only': [{ created, created_by: 'ENV', empty_layer: true }],
  };

  it.each(Object.keys(histories))('%s: Docker 1.9 gets every layer, base first', async (name) => {
    const files = ['one', 'two', 'three'];
    const { app } = appOver((built) => addImage(built, { files, config: { history: histories[name] } }));
    const answer = await app.get(`${path}/latest`, manifestRequestHeaders['Docker 1.9.1']);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, schema1Signed]);
    const { fsLayers, history } = JSON.parse(answer.text()) as {
      fsLayers: { blobSum: string }[];
      history: { v1Compatibility: string }[];
    };
    const throwaway = history.map(({ v1Compatibility }) => JSON.parse(v1Compatibility).throwaway === true);
    const layers = fsLayers.filter((_, index) => !throwaway[index]).map(({ blobSum }) => blobSum);
    const stored = files.map((file) => digestOf(compressedFor(dockerLayerGzip, layerWith(file).tar)));
    expect(layers.toReversed()).toEqual(stored);
  });

  it('more entries with a layer than layers are 404 UNSUPPORTED for Docker 1.9, and as stored for others', async () => {
    const history = ['one', 'two', 'three', 'four'].map((text) => ({ created, created_by: text }));
    const { app, root } = appOver((built) => addImage(built, { config: { history } }));
    const answer = await app.get(`${path}/latest`, manifestRequestHeaders['Docker 1.9.1']);
    expect([answer.status, answer.error().code]).toEqual([404, 'UNSUPPORTED']);
    expect(answer.error().message).toContain('history');
    const stored = await app.get(`${path}/latest`, manifestRequestHeaders['Docker 20.10']);
    expect(digestOf(stored.body)).toBe(root.digest);
  });
});
