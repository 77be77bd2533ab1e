import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { ociIndex, ociManifest, dockerList, schema2 } = mediaTypes;
const samples = createSampleRegistry();
const image = await samples.fetch('http://sample.test/v2/sample/oci/manifests/latest', {
  headers: { accept: '*/*' },
});
const imageBytes = new Uint8Array(await image.arrayBuffer());
const imageDigest = digestOf(imageBytes);
const latest = '/v2/odd/index/manifests/latest';

interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform: object;
}

const good: Entry = {
  mediaType: ociManifest,
  digest: imageDigest,
  size: imageBytes.length,
  platform: { os: 'linux', architecture: 'amd64' },
};

/** A registry whose repository `odd/index` has an index of an entry with this digest, and of `good`. */
function indexWith(digest: string, ...others: readonly Entry[]) {
  const entries = [{ ...good, digest, platform: { os: 'linux', architecture: 'arm64' } }, ...others];
  const document = { schemaVersion: 2, mediaType: ociIndex, manifests: entries };
  const bytes = new TextEncoder().encode(JSON.stringify(document, null, 2));
  const root = digestOf(bytes);
  const upstream = scriptedUpstream(async (request, { pathname, origin }) => {
    if (!pathname.startsWith('/v2/odd/index/')) return undefined;
    const [kind, reference = ''] = pathname.slice('/v2/odd/index/'.length).split('/');
    if (kind === 'manifests' && (reference === 'latest' || reference === root)) {
      return new Response(bytes, { headers: { 'Content-Type': ociIndex, 'Docker-Content-Digest': root } });
    }
    const { method, headers } = request;
    return samples.fetch(`${origin}${pathname.replace('odd/index', 'sample/oci')}`, { method, headers });
  });
  return { bytes, root, upstream, app: testApp({}, upstream.fetch) };
}

const unknown = [
  `sha256+b64:${'LCa0a2j_xo='}`,
  `blake3:${'0'.repeat(64)}`,
  'multihash+base58:QmRZxt2b1FVZPNqd',
];

describe.each(unknown)('an index with an entry of digest %s', (digest) => {
  it('goes out as it is stored to a client that reads it', async () => {
    const { app, bytes, root } = indexWith(digest, good);
    for (const reference of ['latest', root]) {
      const response = await app.get(
        `/v2/odd/index/manifests/${reference}`,
        manifestRequestHeaders['Docker 20.10'],
      );
      expect([response.status, response.header('Content-Type')]).toEqual([200, ociIndex]);
      expect(response.body).toEqual(bytes);
    }
  });

  it('is converted without that entry, which is named as a loss', async () => {
    const { app, upstream } = indexWith(digest, good);
    const response = await app.get(latest, manifestRequestHeaders['Docker 1.13.1']);
    expect([response.status, response.header('Content-Type')]).toEqual([200, dockerList]);
    const { manifests } = JSON.parse(response.text()) as { manifests: Entry[] };
    expect(manifests.map(({ platform }) => platform)).toEqual([good.platform]);
    expect(response.header('Regshift-Conversion')).toContain('lost="$.manifests[0]"');
    expect(upstream.asked.filter((each) => each.includes(digest))).toEqual([]);
  });

  it('has the image of the other entry for its platform', async () => {
    const { app } = indexWith(digest, good);
    expect((await app.get(latest, manifestRequestHeaders['Docker 1.9.1'])).status).toBe(200);
    const headers = { Accept: schema2, 'User-Agent': 'app os/linux arch/arm64' };
    const response = await app.get(latest, headers);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
    expect(response.error().message).toContain('linux/amd64');
  });

  it('has nothing to convert where no other entry is there', async () => {
    const response = await indexWith(digest).app.get(latest, manifestRequestHeaders['Docker 1.13.1']);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
  });
});

it.each(['sha256:12', 'nothing', `SHA256:${'0'.repeat(64)}`, `sha256:${'0'.repeat(64)}/../x`])(
  'a digest that is malformed, %s, still makes the document unreadable',
  async (digest) => {
    const response = await indexWith(digest, good).app.get(latest, manifestRequestHeaders['Docker 1.13.1']);
    expect(response.status).not.toBe(200);
  },
);
