import { describe, expect, it } from 'vitest';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';

const registry = createSampleRegistry();
const get = (path: string, init?: RequestInit) => registry.fetch(`http://sample.invalid${path}`, init);
const head = (path: string) => get(path, { method: 'HEAD' });

async function aBlob() {
  const manifest = await (await get('/v2/sample/schema2/manifests/latest')).json();
  const { digest, size } = (manifest as { layers: { digest: string; size: number }[] }).layers[1] ?? {};
  return { digest, size: size ?? 0, path: `/v2/sample/schema2/blobs/${digest}` };
}

async function errorCode(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  expect(errors[0]?.message).toBeTruthy();
  return errors[0]?.code ?? '';
}

describe('ping', () => {
  it.each(['GET', 'HEAD'])('answers %s with the version of the API', async (method) => {
    const response = await get('/v2/', { method });
    expect(response.status).toBe(200);
    expect(response.headers.get('Docker-Distribution-Api-Version')).toBe('registry/2.0');
    expect(await response.text()).toBe(method === 'GET' ? '{}' : '');
  });
});

describe('manifests', () => {
  it('are the same by every tag and by digest, whatever Accept names', async () => {
    const latest = await get('/v2/sample/oci/manifests/latest', { headers: { Accept: 'application/json' } });
    const digest = latest.headers.get('Docker-Content-Digest');
    const body = await latest.text();
    for (const reference of ['1.0', digest, digest?.replace(':', '%3A')]) {
      const response = await get(`/v2/sample/oci/manifests/${reference}`);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(body);
    }
    expect(latest.headers.get('ETag')).toBe(`"${digest}"`);
    expect(latest.headers.get('Content-Type')).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(latest.headers.get('Content-Length')).toBe(String(body.length));
  });

  it('have the same headers by HEAD', async () => {
    const path = '/v2/sample/index/manifests/latest';
    const [byHead, byGet] = [await head(path), await get(path)];
    expect([...byHead.headers]).toEqual([...byGet.headers]);
    expect(byHead.body).toBeNull();
  });

  it('are not sent to a client that has them', async () => {
    const path = '/v2/sample/oci/manifests/latest';
    const etag = (await head(path)).headers.get('ETag') ?? '';
    const response = await get(path, { headers: { 'If-None-Match': `"other", W/${etag}` } });
    expect(response.status).toBe(304);
    expect(response.body).toBeNull();
  });
});

describe('blobs', () => {
  it('are whole without a range', async () => {
    const { path, size, digest } = await aBlob();
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('Accept-Ranges')).toBe('bytes');
    expect(response.headers.get('Docker-Content-Digest')).toBe(digest);
    expect(response.headers.get('Content-Length')).toBe(String(size));
    expect((await response.arrayBuffer()).byteLength).toBe(size);
    expect((await head(path)).headers.get('Content-Length')).toBe(String(size));
  });

  const ranges = [
    { range: 'bytes=0-9', first: 0, last: 9 },
    { range: 'bytes=1000-', first: 1000, last: -1 },
    { range: 'bytes=-16', first: -16, last: -1 },
    { range: 'bytes=5-999999', first: 5, last: -1 },
    { range: 'bytes=-999999', first: 0, last: -1 },
  ];
  it.each(ranges)('are sent in part for $range', async ({ range, first, last }) => {
    const { path, size } = await aBlob();
    const whole = new Uint8Array(await (await get(path)).arrayBuffer());
    const response = await get(path, { headers: { Range: range } });
    const [from, to] = [first, last].map((each) => (each < 0 ? size + each : each));
    expect(response.status).toBe(206);
    expect(response.headers.get('Content-Range')).toBe(`bytes ${from}-${to}/${size}`);
    const part = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get('Content-Length')).toBe(String(part.length));
    expect(part).toEqual(whole.slice(from, (to ?? 0) + 1));
  });

  it.each(['bytes=9999999-', 'bytes=-0'])('cannot satisfy %s', async (range) => {
    const { path, size } = await aBlob();
    const response = await get(path, { headers: { Range: range } });
    expect(response.status).toBe(416);
    expect(response.headers.get('Content-Range')).toBe(`bytes */${size}`);
  });

  it.each(['bytes=0-1,4-5', 'bytes=9-3', 'items=0-1', 'bytes=-'])('are whole for %s', async (range) => {
    const { path } = await aBlob();
    expect((await get(path, { headers: { Range: range } })).status).toBe(200);
  });

  it('are whole if If-Range names another ETag', async () => {
    const { path, digest } = await aBlob();
    const ask = (validator: string) => get(path, { headers: { Range: 'bytes=0-1', 'If-Range': validator } });
    expect((await ask('"other"')).status).toBe(200);
    expect((await ask(`"${digest}"`)).status).toBe(206);
  });

  it('belong to one repository', async () => {
    const { digest } = await aBlob();
    const response = await get(`/v2/sample/oci/blobs/${digest}`);
    expect(response.status).toBe(404);
    expect(await errorCode(response)).toBe('BLOB_UNKNOWN');
  });
});

describe('lists', () => {
  it('has the tags of a repository', async () => {
    const response = await get('/v2/sample/list/tags/list');
    expect(await response.json()).toEqual({ name: 'sample/list', tags: ['1.0', 'latest'] });
    expect(response.headers.get('Link')).toBeNull();
  });

  it('has the tags in pages', async () => {
    const first = await get('/v2/sample/list/tags/list?n=1');
    expect(await first.json()).toEqual({ name: 'sample/list', tags: ['1.0'] });
    expect(first.headers.get('Link')).toBe('</v2/sample/list/tags/list?n=1&last=1.0>; rel="next"');
    const second = await get('/v2/sample/list/tags/list?n=1&last=1.0');
    expect(await second.json()).toEqual({ name: 'sample/list', tags: ['latest'] });
    expect(second.headers.get('Link')).toBeNull();
    const none = await get('/v2/sample/list/tags/list?n=0');
    expect(await none.json()).toEqual({ name: 'sample/list', tags: [] });
    expect(none.headers.get('Link')).toBeNull();
  });

  it('has every repository in the catalogue, page by page', async () => {
    const names: string[] = [];
    let path: string | undefined = '/v2/_catalog?n=5';
    while (path !== undefined) {
      const page: Response = await get(path);
      names.push(...((await page.json()) as { repositories: string[] }).repositories);
      path = /^<(.*)>; rel="next"$/.exec(page.headers.get('Link') ?? '')?.[1];
    }
    expect(names).toEqual(registry.repositories.map((repository) => repository.name).toSorted());
  });
});

describe('errors', () => {
  const unknown = `sha256:${'0'.repeat(64)}`;
  it.each([
    { path: '/v2/sample/none/manifests/latest', status: 404, code: 'NAME_UNKNOWN' },
    { path: '/v2/sample/none/tags/list', status: 404, code: 'NAME_UNKNOWN' },
    { path: '/v2/sample/oci/manifests/none', status: 404, code: 'MANIFEST_UNKNOWN' },
    { path: `/v2/sample/oci/manifests/${unknown}`, status: 404, code: 'MANIFEST_UNKNOWN' },
    { path: `/v2/sample/oci/blobs/${unknown}`, status: 404, code: 'BLOB_UNKNOWN' },
    { path: '/v2/sample/oci/blobs/latest', status: 400, code: 'DIGEST_INVALID' },
    { path: '/v2/SAMPLE/manifests/latest', status: 400, code: 'NAME_INVALID' },
    { path: '/v2/_catalog?n=many', status: 400, code: 'PAGINATION_NUMBER_INVALID' },
    { path: '/v2/sample/oci', status: 404, code: 'NAME_UNKNOWN' },
    { path: '/v2/sample/oci/manifests/%zz', status: 404, code: 'MANIFEST_UNKNOWN' },
  ])('$status $code for $path', async ({ path, status, code }) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await errorCode(response)).toBe(code);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('405 for %s', async (method) => {
    const response = await get('/v2/sample/oci/manifests/latest', { method });
    expect(response.status).toBe(405);
    expect(await errorCode(response)).toBe('UNSUPPORTED');
  });

  it('has no body for HEAD', async () => {
    const response = await head('/v2/sample/oci/manifests/none');
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Length')).not.toBe('0');
    expect(response.body).toBeNull();
  });

  it('ends an aborted request', async () => {
    await expect(get('/v2/', { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe('repositories', () => {
  it('are described in one line each', () => {
    for (const { name, tags, description } of registry.repositories) {
      expect(name).toMatch(/^sample\/[a-z0-9-]+$/);
      expect(tags).toEqual(['1.0', 'latest']);
      expect(description).toMatch(/^.{10,90}$/);
    }
  });
});
