import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type RequestHeaders, type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema1Signed, schema1, schema2, dockerList, ociManifest, ociIndex, json } = mediaTypes;

const samples = createSampleRegistry();

async function stored(sample: string, reference = 'latest') {
  const url = `http://sample.test/v2/${sample}/manifests/${reference}`;
  const response = await samples.fetch(url, { headers: { accept: '*/*' } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { bytes, digest: response.headers.get('docker-content-digest') ?? '' };
}

/** The type that a client gets, or the status and the code of the error. */
async function given(app: TestApp, path: string, headers: RequestHeaders): Promise<string | null> {
  const response = await app.get(path, headers);
  return response.status === 200
    ? response.header('Content-Type')
    : `${response.status} ${response.error().code}`;
}

/** A registry whose repository `odd/app` has one document of this type. */
function withDocument(document: object, type: string) {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const digest = digestOf(bytes);
  const upstream = scriptedUpstream((_, { pathname }) => {
    if (!pathname.startsWith('/v2/odd/app/manifests/')) return undefined;
    return new Response(bytes, { headers: { 'Content-Type': type, 'Docker-Content-Digest': digest } });
  });
  return { bytes, digest, app: testApp({}, upstream.fetch) };
}

const unnamed: Record<string, RequestHeaders> = {
  curl: { 'User-Agent': 'curl/8.5.0' },
  "Go's client": { 'User-Agent': 'Go-http-client/1.1' },
  'a client without User-Agent': {},
};
const docker19 = manifestRequestHeaders['Docker 1.9.1'];

describe('a request without Accept', () => {
  const app = testApp();

  it.each(Object.entries(unnamed))('by digest: %s gets the bytes of the digest', async (_, headers) => {
    for (const sample of ['sample/oci', 'sample/index', 'sample/schema2']) {
      const { bytes, digest } = await stored(sample);
      const response = await app.get(`/v2/${sample}/manifests/${digest}`, headers);
      expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
      expect(response.body).toEqual(bytes);
    }
  });

  it('by digest: an engine that sends none reads schema 1 alone, and is told the digest of that', async () => {
    const { digest } = await stored('sample/oci');
    const response = await app.get(`/v2/sample/oci/manifests/${digest}`, docker19);
    expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
  });

  it.each(Object.entries(unnamed))(
    'by tag: %s gets schema 1, as from docker-registry 2.8',
    async (_, who) => {
      expect(await given(app, '/v2/sample/oci/manifests/latest', who)).toBe(schema1Signed);
    },
  );

  const chart = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: digestOf(new Uint8Array()),
      size: 0,
    },
    layers: [],
  };

  it.each(Object.entries(unnamed))('by tag: %s gets a chart as it is stored', async (_, who) => {
    const { app: odd, digest } = withDocument(chart, ociManifest);
    const response = await odd.get('/v2/odd/app/manifests/latest', who);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
  });

  it('by tag: Docker 1.9 gets no chart', async () => {
    const { app: odd } = withDocument(chart, ociManifest);
    expect(await given(odd, '/v2/odd/app/manifests/latest', docker19)).toBe('404 UNSUPPORTED');
  });
});

describe('an Accept without manifest types', () => {
  const app = testApp();
  const latest = '/v2/sample/oci/manifests/latest';

  it.each([
    ['application/json', 'curl/8.5.0', schema1Signed],
    ['text/html', 'curl/8.5.0', schema2],
    ['application/octet-stream, text/plain;q=0.5', 'monitor/2', schema2],
    ['text/html', 'docker/1.9.1', schema1Signed],
    ['text/html, */*', 'curl/8.5.0', ociManifest],
  ])('%s by %s: %s', async (accept, userAgent, type) => {
    expect(await given(app, latest, { Accept: accept, 'User-Agent': userAgent })).toBe(type);
  });
});

describe('crane and go-containerregistry', () => {
  const app = testApp();
  const accept = [ociIndex, dockerList, ociManifest, schema2, schema1, schema1Signed].join(',');
  const agents = [
    'crane/0.20.2 go-containerregistry/v0.20.2',
    'skaffold/2.10 go-containerregistry/v0.19.1',
    'go-containerregistry/v0.20.2',
  ];
  const schema1Sample = 'sample/schema1';

  it.each(agents)('%s: schema 1 by tag is converted up', async (userAgent) => {
    const type = await given(app, `/v2/${schema1Sample}/manifests/latest`, {
      'User-Agent': userAgent,
      Accept: accept,
    });
    expect(type).toBe(schema2);
  });

  it.each(agents)('%s: schema 1 by digest goes out as stored', async (userAgent) => {
    const { bytes, digest } = await stored(schema1Sample);
    const path = `/v2/${schema1Sample}/manifests/${digest}`;
    const response = await app.get(path, { 'User-Agent': userAgent, Accept: accept });
    expect([response.status, response.header('Content-Type')]).toEqual([200, schema1Signed]);
    expect(response.body).toEqual(bytes);
  });
});

describe('the order of q', () => {
  const app = testApp();

  it.each([
    ['sample/oci', `${ociManifest};q=0.5, ${schema2}`, schema2],
    ['sample/oci', `${ociManifest}, ${schema2};q=0.5`, ociManifest],
    ['sample/schema2', `${schema2};q=0.1, ${ociManifest};q=0.9, ${schema1Signed};q=0.2`, ociManifest],
    ['sample/schema2', `${schema2};q=0, ${ociManifest};q=0.1`, ociManifest],
    // Equal values leave the choice to regshift, which keeps what is stored.
    ['sample/oci', `${schema2};q=0.5, ${ociManifest};q=0.5`, ociManifest],
  ])('%s as %s: %s', async (sample, accept, type) => {
    const headers = { 'User-Agent': 'curl/8.5.0', Accept: accept };
    expect(await given(app, `/v2/${sample}/manifests/latest`, headers)).toBe(type);
  });

  // Charliecloud 0.31 writes `…;q=0.5` behind the last of its types, and pulls the images of an index by digest.
  it.each([
    ['sample/oci', `${schema2},${ociManifest};q=0.5`, ociManifest],
    ['sample/schema2', `${schema2};q=0.1,${ociManifest}`, schema2],
  ])('%s by digest as %s: %s, because a digest names bytes', async (sample, accept, type) => {
    const response = await app.get(`/v2/${sample}/manifests/latest`, { Accept: type });
    const path = `/v2/${sample}/manifests/${response.header('Docker-Content-Digest')}`;
    expect(await given(app, path, { 'User-Agent': 'python-requests/2.28.1', Accept: accept })).toBe(type);
  });

  it('by digest leaves a type of q=0 unread', async () => {
    const response = await app.get('/v2/sample/oci/manifests/latest', { Accept: ociManifest });
    const path = `/v2/sample/oci/manifests/${response.header('Docker-Content-Digest')}`;
    const headers = { 'User-Agent': 'curl/8.5.0', Accept: `${schema2}, ${ociManifest};q=0` };
    expect((await app.get(path, headers)).status).toBe(404);
  });
});

describe("a client that names indexes and no image, like What's up Docker 6.6", () => {
  const accept = `${dockerList}, ${ociIndex}`;

  it.each([
    ['sample/schema1', schema1Signed],
    ['sample/schema1-unsigned', schema1Signed],
    ['sample/schema2', schema1Signed],
    ['sample/oci', '404 UNSUPPORTED'],
    ['sample/list', dockerList],
    ['sample/index', ociIndex],
  ])('gets %s as %s, as from docker-registry 2.8', async (sample, type) => {
    expect(await given(testApp(), `/v2/${sample}/manifests/latest`, { Accept: accept })).toBe(type);
  });

  it('gets the bytes of a digest', async () => {
    const app = testApp();
    const response = await app.get('/v2/sample/schema2/manifests/latest', { Accept: schema2 });
    const path = `/v2/sample/schema2/manifests/${response.header('Docker-Content-Digest')}`;
    expect(await given(app, path, { Accept: accept })).toBe(schema2);
  });

  it('gets nothing where a rule says that it lacks schema 1', async () => {
    const rule = { match: {}, lacks: ['schema1'] };
    const app = testApp({ REGSHIFT_CLIENTS: JSON.stringify(rule) });
    const headers = { Accept: accept };
    expect(await given(app, '/v2/sample/schema2/manifests/latest', headers)).toBe('404 UNSUPPORTED');
  });
});

describe('a document that regshift does not know', () => {
  const unknown = 'application/vnd.example.attestation.v1+json';
  const document = { schemaVersion: 3, mediaType: unknown, statements: [] };
  const named = [schema2, dockerList, ociManifest, ociIndex].join(', ');

  it.each([
    ['containerd, which names types and a wildcard', 'containerd/1.7.2', `${named}, */*`],
    ['a client of its type', 'oras/1.2', `${named}, ${unknown}`],
    ['curl', 'curl/8.5.0', '*/*'],
  ])('goes out as it is stored to %s', async (_, userAgent, accept) => {
    const { app, bytes, digest } = withDocument(document, unknown);
    for (const reference of ['latest', digest]) {
      const response = await app.get(`/v2/odd/app/manifests/${reference}`, {
        'User-Agent': userAgent,
        Accept: accept,
      });
      expect([response.status, response.header('Content-Type')]).toEqual([200, unknown]);
      expect(response.body).toEqual(bytes);
    }
  });

  it('is 404 for a client that takes neither', async () => {
    const { app } = withDocument(document, unknown);
    const headers = { 'User-Agent': 'docker/24.0.7', Accept: [named, json].join(', ') };
    expect(await given(app, '/v2/odd/app/manifests/latest', headers)).toBe('404 UNSUPPORTED');
  });
});
