import { describe, expect, it } from 'vitest';
import { type Answer, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const app = testApp();

/** Checks the error body of the distribution spec 1.1, "Error Codes". */
function expectError(response: Answer, status: number, code: string): void {
  expect([response.status, response.error().code]).toEqual([status, code]);
  expect(response.header('Content-Type')).toBe('application/json');
  expect(response.header('Content-Length')).toBe(String(response.body.length));
  expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
}

describe('ping', () => {
  it.each(['/v2/', '/v2', '//v2/', '//v2', '///v2/'])('GET %s is 200', async (path) => {
    const response = await app.get(path);
    expect(response.status).toBe(200);
    expect(response.text()).toBe('{}');
    expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
    expect(response.header('Content-Type')).toBe('application/json');
    expect(response.header('Content-Length')).toBe('2');
  });

  it('has the same headers by HEAD', async () => {
    expect([...(await app.head('/v2/')).headers]).toEqual([...(await app.get('/v2/')).headers]);
  });

  it('names its version on a 401 too: without it Docker 1.9 switches to API v1', async () => {
    const challenge = { 'WWW-Authenticate': 'Basic realm="Registry"' };
    const upstream = scriptedUpstream(() => specError(401, 'UNAUTHORIZED', challenge));
    const response = await testApp({}, upstream.fetch).get('/v2/');
    expectError(response, 401, 'UNAUTHORIZED');
    expect(response.header('WWW-Authenticate')).toBe('Basic realm="Registry"');
  });

  it('sends nothing to upstream when the login of clients is not for upstream', async () => {
    const upstream = scriptedUpstream();
    const anonymous = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, upstream.fetch);
    expect((await anonymous.get('/v2/')).status).toBe(200);
    expect(upstream.asked).toEqual([]);
  });
});

describe('paths', () => {
  it.each([
    ['/v2/Sample/oci/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample//oci/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample/-oci/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample/oci-/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample/oci___x/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample%252Foci/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/sample/%2E%2E/manifests/latest', 404, 'NAME_UNKNOWN'],
    ['/v2/s%C3%A4mple/manifests/latest', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/manifests/latest`, 400, 'NAME_INVALID'],
    ['/v2/Sample/oci/tags/list', 400, 'NAME_INVALID'],
    [`/v2/Sample/blobs/sha256:${'0'.repeat(64)}`, 400, 'NAME_INVALID'],
    ['/v2/sample/oci/manifests/sha256:abc', 400, 'DIGEST_INVALID'],
    [`/v2/sample/oci/manifests/sha256:${'A'.repeat(64)}`, 400, 'DIGEST_INVALID'],
    ['/v2/sample/oci/manifests/.hidden', 404, 'MANIFEST_UNKNOWN'],
    [`/v2/sample/oci/manifests/${'a'.repeat(129)}`, 404, 'MANIFEST_UNKNOWN'],
    ['/v2/sample/oci/manifests/no-such-tag', 404, 'MANIFEST_UNKNOWN'],
    // Upstream gets a HEAD, whose 404 has no body that names the repository.
    ['/v2/no/such/manifests/latest', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/no/such/tags/list', 404, 'NAME_UNKNOWN'],
    ['/v2/sample/oci/manifests/', 404, 'NAME_UNKNOWN'],
    ['/v2/sample/oci', 404, 'NAME_UNKNOWN'],
    ['/v3/', 404, 'NAME_UNKNOWN'],
  ])('GET %s: %i %s', async (path, status, code) => {
    expectError(await app.get(path), status, code);
    const byHead = await app.head(path);
    expect(byHead.status).toBe(status);
    expect(byHead.body).toHaveLength(0);
  });

  it('a name of 255 characters is valid', async () => {
    expectError(await app.get(`/v2/${'a'.repeat(255)}/manifests/latest`), 404, 'MANIFEST_UNKNOWN');
  });

  it('two slashes before v2 are accepted for manifests (Docker 1.8 and 1.9, with a mirror)', async () => {
    expect((await app.get('//v2/sample/oci/manifests/latest')).status).toBe(200);
  });
});

describe('methods', () => {
  it.each([
    ['PUT', '/v2/sample/oci/manifests/latest'],
    ['DELETE', '/v2/sample/oci/manifests/latest'],
    ['POST', '/v2/sample/oci/blobs/uploads/'],
    ['OPTIONS', '/v2/sample/oci/tags/list'],
    ['POST', '/v2/'],
    ['DELETE', '/v2/_catalog'],
    ['PUT', `/v2/sample/oci/referrers/sha256:${'0'.repeat(64)}`],
  ])('%s %s: 405 UNSUPPORTED, with the allowed methods', async (method, path) => {
    const response = await app.send(method, path);
    expectError(response, 405, 'UNSUPPORTED');
    expect(response.header('Allow')).toBe('GET, HEAD');
  });
});

describe('Docker 1.5 and older', () => {
  it.each(['docker/1.5.0 go/go1.4.1', 'docker/1.3.3 go/go1.3.3'])(
    '%s gets 404 at once: it would read schema 1, fetch every blob and fail',
    async (userAgent) => {
      const upstream = scriptedUpstream();
      const proxy = testApp({}, upstream.fetch);
      const response = await proxy.get('/v2/sample/oci/manifests/latest', { 'User-Agent': userAgent });
      expectError(response, 404, 'MANIFEST_UNKNOWN');
      expect(upstream.asked).toEqual([]);
    },
  );
});

describe('the 404 for a manifest that the client cannot read', () => {
  it('names the stored form and the client', async () => {
    const docker29 = {
      'User-Agent': 'docker/29.0.0 go/go1.25 os/linux arch/amd64',
      Accept: 'application/json',
    };
    const response = await app.get('/v2/sample/schema1/manifests/latest', docker29);
    expectError(response, 404, 'UNSUPPORTED');
    expect(response.error().message).toContain('stored as a schema 1 manifest');
    expect(response.error().message).toContain('docker/29.0.0');
  });

  it('names the config type of an artifact that is no image', async () => {
    const headers = manifestRequestHeaders['Docker 1.13.1'];
    const response = await app.get('/v2/sample/helm-chart/manifests/latest', headers);
    expectError(response, 404, 'UNSUPPORTED');
    expect(response.error().message).toContain('application/vnd.cncf.helm.config.v1+json');
  });
});

describe('tags', () => {
  it('come page by page, with a link to the proxy', async () => {
    const first = await app.get('/v2/sample/oci/tags/list?n=1');
    expect(JSON.parse(first.text())).toEqual({ name: 'sample/oci', tags: ['1.0'] });
    const next = /^<([^>]+)>; rel="next"$/.exec(first.header('Link') ?? '')?.[1] ?? '';
    expect(next).toBe('/v2/sample/oci/tags/list?n=1&last=1.0');
    const second = await app.get(next);
    expect(JSON.parse(second.text())).toEqual({ name: 'sample/oci', tags: ['latest'] });
    expect(second.header('Link')).toBeNull();
  });

  it('have the same headers by HEAD', async () => {
    const path = '/v2/sample/oci/tags/list';
    expect([...(await app.head(path)).headers]).toEqual([...(await app.get(path)).headers]);
  });
});
