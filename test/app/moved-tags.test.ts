import { describe, expect, it } from 'vitest';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const path = '/v2/team/app/manifests/latest';

/** A repository that has nothing but the image of a sample. */
function repositoryOf(sample: string) {
  const samples = createSampleRegistry();
  return async (request: Request, { pathname }: URL) => {
    const [, rest = ''] = /^\/v2\/team\/app\/(.+)$/.exec(pathname) ?? [];
    if (rest === '') return undefined;
    const { method, headers } = request;
    const response = await samples.fetch(`${upstreamUrl}/v2/sample/${sample}/${rest}`, { method, headers });
    return response.ok ? response : specError(404, 'MANIFEST_UNKNOWN');
  };
}

describe('a tag that was moved, and whose old image was deleted, while its digest is cached', () => {
  it('leads to the new image', async () => {
    const upstream = scriptedUpstream(repositoryOf('schema2'));
    // Without memory for content each response needs the manifest from upstream.
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, upstream.fetch);
    const before = await app.get(path, docker113);
    expect(before.status).toBe(200);
    upstream.follow(repositoryOf('oci'));
    const after = await app.get(path, docker113);
    expect(after.status).toBe(200);
    expect(after.header('docker-content-digest')).not.toBe(before.header('docker-content-digest'));
  });

  it('is 404 once it is deleted, after one further request to upstream', async () => {
    const upstream = scriptedUpstream(repositoryOf('schema2'));
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, upstream.fetch);
    expect((await app.get(path, docker113)).status).toBe(200);
    upstream.follow(() => specError(404, 'MANIFEST_UNKNOWN'));
    upstream.forget();
    expect((await app.get(path, docker113)).status).toBe(404);
    expect(upstream.asked.filter((each) => each.endsWith('/manifests/latest'))).toHaveLength(1);
  });
});

describe('a tag that a client moves through one route', () => {
  it('leads to the new image at once through the other routes to its registry', async () => {
    const [before, after] = [repositoryOf('schema2'), repositoryOf('oci')];
    const upstream = scriptedUpstream(before);
    const accept = ({ method }: Request) =>
      method === 'PUT' ? new Response(null, { status: 201 }) : undefined;
    const routes = ['new', 'old'].map((host) => ({ match: { host: `${host}.test` }, upstream: upstreamUrl }));
    const config = { upstreamAuth: 'anonymous', push: 'allow', tagTtl: 3600, routes };
    const app = testApp({ REGSHIFT_CONFIG: JSON.stringify(config), REGSHIFT_UPSTREAM: '' }, upstream.fetch);
    const pull = async () =>
      (await app.get(`http://old.test${path}`, docker113)).header('docker-content-digest');
    const first = await pull();
    upstream.follow(async (request, url) => accept(request) ?? after(request, url));
    expect(await pull()).toBe(first);
    const body = new TextEncoder().encode('{"schemaVersion":2}');
    const type = { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' };
    expect((await app.send('PUT', `http://new.test${path}`, type, { body })).status).toBe(201);
    expect(await pull()).not.toBe(first);
  });
});
