import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const repository = '/v2/sample/index/manifests';
const docker113 = manifestRequestHeaders['Docker 1.13.1'];

/** Another index of the same images, as a rebuild creates it. */
async function rebuiltIndex(): Promise<Uint8Array<ArrayBuffer>> {
  const stored = await testApp().get(`${repository}/latest`, [['Accept', '*/*']]);
  return new TextEncoder().encode(`${stored.text()}\n`);
}

function serving(body: Uint8Array<ArrayBuffer>): Script {
  const digest = digestOf(body);
  const paths = [`${repository}/rebuilt`, `${repository}/${digest}`];
  return (_request, url) =>
    paths.includes(url.pathname)
      ? new Response(body, {
          headers: { 'Content-Type': mediaTypes.ociIndex, 'Docker-Content-Digest': digest },
        })
      : undefined;
}

async function childOf(app: ReturnType<typeof testApp>, tag: string): Promise<string> {
  const list = JSON.parse((await app.get(`${repository}/${tag}`, docker113)).text());
  return list.manifests[0].digest;
}

describe('an image in two indexes', () => {
  it('is found by its digest after the index that named it last is deleted', async () => {
    const upstream = scriptedUpstream(serving(await rebuiltIndex()));
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const child = await childOf(app, 'latest');
    expect(await childOf(app, 'rebuilt')).toBe(child);
    upstream.follow();
    const response = await app.get(`${repository}/${child}`, docker113);
    expect(response.status).toBe(200);
    expect(response.header('Docker-Content-Digest')).toBe(child);
  });
});

describe('a tag that has moved since this replica asked for it', () => {
  const path = '/v2/team/app/manifests';

  it.each(['by a client', 'by a search'])('is asked for again: it was asked for %s', async (asker) => {
    let tags = manyTags('team/app', { latest: 'sample/schema2' });
    const upstream = scriptedUpstream((request, url) => tags(request, url));
    const [app, other] = [testApp({}, upstream.fetch), testApp({}, upstream.fetch)];
    const asked = asker === 'by a client' ? 'latest' : `sha256:${'0'.repeat(64)}`;
    await app.get(`${path}/${asked}`, docker113);
    tags = manyTags('team/app', { latest: 'sample/oci' });
    app.advance(1);
    const made = await other.get(`${path}/latest`, docker113);
    const found = await app.get(`${path}/${made.header('Docker-Content-Digest')}`, docker113);
    expect([found.status, found.body]).toEqual([200, made.body]);
  });
});

describe('a signed repository, whose signatures come before its images in the list of tags', () => {
  it('looks for an image past the signatures that clients have requested lately', async () => {
    const signature = `sha256-${'a'.repeat(64)}.sig`;
    const signed = manyTags('team/app', { [signature]: 'sample/helm-chart', 'v1.0': 'sample/oci' });
    const path = '/v2/team/app/manifests';
    const pulled = await testApp({}, scriptedUpstream(signed).fetch).get(`${path}/v1.0`, docker113);
    const app = testApp({ REGSHIFT_WALK_TAGS: '1' }, scriptedUpstream(signed).fetch);
    expect((await app.get(`${path}/${signature}`)).status).toBe(200);
    const found = await app.get(`${path}/${pulled.header('Docker-Content-Digest')}`, docker113);
    expect(found.status).toBe(200);
    expect(found.body).toEqual(pulled.body);
  });

  it('spends no fetch on signatures, and finds the digest of an image', async () => {
    const signature = (index: number) => `sha256-${String(index).padStart(64, '0')}.sig`;
    const signatures = Array.from({ length: 8 }, (_, index) => [signature(index), 'sample/helm-chart']);
    const signed = manyTags('team/app', { ...Object.fromEntries(signatures), 'v1.0': 'sample/oci' });
    const path = '/v2/team/app/manifests';
    const pulled = await testApp({}, scriptedUpstream(signed).fetch).get(`${path}/v1.0`, docker113);
    const upstream = scriptedUpstream(signed);
    const digest = pulled.header('Docker-Content-Digest');
    const found = await testApp({ REGSHIFT_WALK_GETS: '1' }, upstream.fetch).get(
      `${path}/${digest}`,
      docker113,
    );
    expect(found.status).toBe(200);
    expect(found.body).toEqual(pulled.body);
    const fetched = upstream.asked.filter((each) => /^GET .*\/manifests\//.test(each));
    expect(fetched.map((each) => each.replace(/.*\//, ''))).toEqual([
      pulled.header('Regshift-Source-Digest'),
    ]);
  });
});

describe('a search while the registry fails', () => {
  it('reports the failure, and finds the digest after it', async () => {
    const child = await childOf(testApp(), 'latest');
    const failing: Script = (_, { pathname }) =>
      /\/manifests\/[^:]+$/.test(pathname) ? new Response('', { status: 503 }) : undefined;
    const upstream = scriptedUpstream(failing);
    const app = testApp({}, upstream.fetch);
    expect((await app.get(`${repository}/${child}`, docker113)).status).toBe(503);
    upstream.follow();
    expect((await app.get(`${repository}/${child}`, docker113)).status).toBe(200);
  });
});

const madeUp = `sha256:${'0'.repeat(64)}`;

/** `sample/oci-zstd:mixed`: an index of a gzip image and a zstd image, both for one platform. */
async function mixedIndex(): Promise<Script> {
  const samples = createSampleRegistry();
  const entries = ['oci', 'oci-zstd'].map(async (sample, number) => {
    const response = await samples.fetch(`http://sample.test/v2/sample/${sample}/manifests/latest`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const platform = { os: 'linux', architecture: 'amd64', variant: `v${number + 1}` };
    return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length, platform };
  });
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: await Promise.all(entries) };
  const body = new TextEncoder().encode(JSON.stringify(index));
  const digest = digestOf(body);
  const headers = { 'Content-Type': mediaTypes.ociIndex, 'Docker-Content-Digest': digest };
  return async ({ method }, { pathname }) => {
    if (pathname.endsWith('/manifests/mixed') || pathname.endsWith(digest)) {
      return new Response(method === 'HEAD' ? null : body, { headers });
    }
    if (pathname.endsWith('/tags/list')) return Response.json({ name: 'sample/oci-zstd', tags: ['mixed'] });
    // The gzip image is in the same repository.
    const other = await samples.fetch(`http://sample.test${pathname.replace('oci-zstd', 'oci')}`, { method });
    return other.ok ? other : undefined;
  };
}

describe('an index with an image whose layers were never read', () => {
  it('keeps all its images after a search that may not read the layers', async () => {
    const path = '/v2/sample/oci-zstd/manifests';
    const docker2010 = manifestRequestHeaders['Docker 20.10'];
    const whole = await testApp({}, scriptedUpstream(await mixedIndex()).fetch).get(
      `${path}/mixed`,
      docker113,
    );
    const manifests = JSON.parse(whole.text()).manifests as { digest: string }[];
    expect(manifests).toHaveLength(2);

    const app = testApp({ REGSHIFT_WALK_GETS: '0' }, scriptedUpstream(await mixedIndex()).fetch);
    const stored = JSON.parse((await app.get(`${path}/mixed`, [['Accept', '*/*']])).text());
    for (const { digest } of stored.manifests) await app.get(`${path}/${digest}`, [['Accept', '*/*']]);
    for (const client of [docker113, docker2010]) {
      expect((await app.get(`${path}/${madeUp}`, client)).status).toBe(404);
    }
    const again = await app.get(`${path}/mixed`, docker113);
    expect(again.header('Docker-Content-Digest')).toBe(whole.header('Docker-Content-Digest'));
  });
});

describe('an unknown digest', () => {
  it('causes no reading of layers when the search may fetch nothing (REGSHIFT_WALK_GETS=0)', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_WALK_GETS: '0' }, upstream.fetch);
    await app.get('/v2/sample/oci-zstd/manifests/latest', [['Accept', '*/*']]);
    const docker2010 = manifestRequestHeaders['Docker 20.10'];
    const response = await app.get(`/v2/sample/oci-zstd/manifests/${madeUp}`, docker2010);
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    // One request for the blob of that digest, and one for the config.
    const blobs = upstream.asked.filter((each) => each.startsWith('GET') && each.includes('/blobs/'));
    expect(blobs.length).toBeLessThanOrEqual(2);
  });

  it('causes one search, however many clients request it at the same time', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => app.get(`/v2/sample/oci/manifests/${madeUp}`, docker113)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 404));
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toHaveLength(1);
  });
});
