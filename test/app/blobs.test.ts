import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { sha256Of } from '../support/sha256.ts';

const app = testApp();

interface Layer {
  readonly digest: string;
  readonly size: number;
}

const { layers } = JSON.parse(
  (await app.get('/v2/sample/oci/manifests/latest', { Accept: '*/*' })).text(),
) as { layers: Layer[] };
const stored: Layer = layers[1] ?? { digest: '', size: 0 };

// Docker 1.13 gets a plain tar; upstream has the layer as zstd only.
const { layers: plain } = JSON.parse(
  (await app.get('/v2/sample/oci-zstd/manifests/latest', manifestRequestHeaders['Docker 1.13.1'])).text(),
) as { layers: Layer[] };
const decompressed: Layer = plain[1] ?? { digest: '', size: 0 };

const emptyLayer: Layer = {
  digest: 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4',
  size: 32,
};

const kinds = [
  { kind: 'a stored layer', layer: stored, path: `/v2/sample/oci/blobs/${stored.digest}` },
  {
    kind: 'a decompressed layer',
    layer: decompressed,
    path: `/v2/sample/oci-zstd/blobs/${decompressed.digest}`,
  },
  { kind: 'the empty layer', layer: emptyLayer, path: `/v2/sample/oci/blobs/${emptyLayer.digest}` },
];

describe.each(kinds)('$kind', ({ layer, path }) => {
  it('is sent whole', async () => {
    const response = await app.get(path);
    expect(response.status).toBe(200);
    expect(await sha256Of(response.body)).toBe(layer.digest);
    expect(response.body).toHaveLength(layer.size);
    expect(response.header('Content-Length')).toBe(String(layer.size));
    expect(response.header('Content-Type')).toBe('application/octet-stream');
    expect(response.header('Docker-Content-Digest')).toBe(layer.digest);
    expect(response.header('ETag')).toBe(`"${layer.digest}"`);
    expect(response.header('Accept-Ranges')).toBe('bytes');
    expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  });

  it('has the same headers by HEAD, and no body', async () => {
    const [byHead, byGet] = [await app.head(path), await app.get(path)];
    expect(byHead.status).toBe(200);
    expect([...byHead.headers]).toEqual([...byGet.headers]);
    expect(byHead.body).toHaveLength(0);
  });

  it.each([
    ['bytes=0-9', 0, 9],
    ['bytes=4-4', 4, 4],
    ['bytes=10-', 10, layer.size - 1],
    ['bytes=-5', layer.size - 5, layer.size - 1],
    [`bytes=-${layer.size + 100}`, 0, layer.size - 1],
    [`bytes=7-${layer.size + 100}`, 7, layer.size - 1],
  ])('Range %s: bytes %i to %i', async (range, start, end) => {
    const whole = (await app.get(path)).body;
    const response = await app.get(path, { Range: range });
    expect(response.status).toBe(206);
    expect(response.body).toEqual(whole.slice(start, end + 1));
    expect(response.header('Content-Range')).toBe(`bytes ${start}-${end}/${layer.size}`);
    expect(response.header('Content-Length')).toBe(String(end - start + 1));
    expect(response.header('Docker-Content-Digest')).toBe(layer.digest);
  });

  it.each([`bytes=${layer.size}-`, `bytes=${layer.size + 5}-${layer.size + 9}`, 'bytes=-0'])(
    'Range %s: 416 with the length',
    async (range) => {
      const response = await app.get(path, { Range: range });
      expect(response.status).toBe(416);
      expect(response.header('Content-Range')).toBe(`bytes */${layer.size}`);
    },
  );

  it.each(['bytes=5-4', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-', 'nonsense'])(
    'Range %s: ignored, and sent whole',
    async (range) => {
      const response = await app.get(path, { Range: range });
      expect(response.status).toBe(200);
      expect(response.body).toHaveLength(layer.size);
    },
  );

  it.each(['GET', 'HEAD'])('is not sent by %s to a client that has it', async (method) => {
    for (const known of [`"${layer.digest}"`, `"other", W/"${layer.digest}"`, '*']) {
      const response = await app.send(method, path, { 'If-None-Match': known });
      expect(response.status).toBe(304);
      expect(response.body).toHaveLength(0);
    }
    expect((await app.send(method, path, { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  it('is sent whole when If-Range names another entity', async () => {
    const response = await app.get(path, { Range: 'bytes=0-3', 'If-Range': '"other"' });
    expect(response.status).toBe(200);
    const same = await app.get(path, { Range: 'bytes=0-3', 'If-Range': `"${layer.digest}"` });
    expect(same.status).toBe(206);
  });

  it('is found with an escaped colon', async () => {
    expect((await app.get(path.replace('sha256:', 'sha256%3A'))).status).toBe(200);
  });
});

describe('a missing blob', () => {
  it.each(['GET', 'HEAD'])('%s of an unknown digest: 404 BLOB_UNKNOWN', async (method) => {
    const response = await app.send(method, `/v2/sample/oci/blobs/sha256:${'0'.repeat(64)}`);
    expect(response.status).toBe(404);
    if (method === 'GET') expect(response.error().code).toBe('BLOB_UNKNOWN');
    else expect(response.body).toHaveLength(0);
  });

  it.each([
    'latest',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    `sha512:${'0'.repeat(64)}`,
  ])('%s is no digest: 400 DIGEST_INVALID', async (digest) => {
    const response = await app.get(`/v2/sample/oci/blobs/${digest}`);
    expect([response.status, response.error().code]).toEqual([400, 'DIGEST_INVALID']);
  });
});

describe('a blob upstream', () => {
  const path = `/v2/sample/oci/blobs/${stored.digest}`;

  it('is fetched by one request for each request of a client: its bytes are not cached', async () => {
    const upstream = scriptedUpstream();
    const proxy = testApp({}, upstream.fetch);
    await proxy.get(path);
    await proxy.get(path);
    expect(upstream.asked).toEqual([`GET ${path}`, `GET ${path}`]);
  });

  it('that redirects to storage is followed, or the redirect is passed on with REGSHIFT_BLOBS=redirect', async () => {
    const storage = 'http://storage.test/blob?signature=1';
    const upstream = scriptedUpstream((_request, url) =>
      url.host === 'storage.test'
        ? new Response('the bytes', { headers: { 'Content-Length': '9' } })
        : new Response(null, { status: 307, headers: { Location: storage } }),
    );
    const followed = await testApp({}, upstream.fetch).get(path);
    expect([followed.status, followed.text()]).toEqual([200, 'the bytes']);
    const handedOn = await testApp({ REGSHIFT_BLOBS: 'redirect' }, upstream.fetch).get(path);
    expect([handedOn.status, handedOn.header('Location')]).toEqual([307, storage]);
  });

  it('that responds with several ranges keeps its multipart type', async () => {
    const type = 'multipart/byteranges; boundary=THIS';
    const upstream = scriptedUpstream((request) =>
      request.headers.has('range')
        ? new Response('--THIS--', { status: 206, headers: { 'Content-Type': type } })
        : undefined,
    );
    const path = `/v2/sample/oci/blobs/sha256:${'a'.repeat(64)}`;
    const response = await testApp({}, upstream.fetch).get(path, { Range: 'bytes=0-1,4-5' });
    expect([response.status, response.header('Content-Type')]).toEqual([206, type]);
  });

  it('with a Content-Encoding that was not requested is an error: length and digest would be wrong', async () => {
    const upstream = scriptedUpstream(() => {
      const headers = { 'Content-Encoding': 'br', 'Content-Length': '3' };
      return new Response(null, { headers });
    });
    const response = await testApp({}, upstream.fetch).get(path);
    expect(response.status).toBe(502);
    expect(response.error().message).toContain('Content-Encoding "br"');
  });
});
