import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { givenForm } from '../support/given-forms.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { layersOf } from '../support/pull.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { largeBlob, type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { sha256Of } from '../support/sha256.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';
import { serveOnNode, serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

/** The app without a socket, whose responses both runtimes should send. */
const app = testApp();

const clients = ['Docker 1.6.2', 'Docker 1.9.1', 'Docker 1.13.1', 'Docker 19.03.3'] as const;
const manifestCases = clients.flatMap((client) =>
  ['sample/generic', 'sample/schema1', 'sample/schema2', 'sample/oci', 'sample/index'].map((sample) => ({
    client,
    sample,
    form: givenForm(sample, client),
  })),
);

/** Headers that a server may add. */
const ofTheServer = ['connection', 'date', 'keep-alive', 'x-request-id'];

function namesOf(response: RawResponse): string[] {
  const names = response.headers.map(([name]) => name.toLowerCase());
  return names.filter((name) => !ofTheServer.includes(name)).toSorted();
}

/** Requests for blobs carry no Accept, and are the same from Docker 1.6 to 20.10. */
const userAgent = (client: OldClient) =>
  manifestRequestHeaders[client].filter(([name]) => name === 'User-Agent');
const blobHeaders = (client: OldClient) =>
  [...userAgent(client), ['Accept-Encoding', 'gzip'], ['Connection', 'close']] as const;

const emptyLayer = 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';

async function aLayer() {
  const manifest = await app.get('/v2/sample/oci/manifests/latest', { Accept: '*/*' });
  const digest = layersOf(manifest.body)[0] ?? '';
  const path = `/v2/sample/oci/blobs/${digest}`;
  return { digest, path, bytes: (await app.get(path)).body };
}

describe.each([
  { runtime: 'Node', start: serveOnNode, edge: false },
  // Cloudflare's edge compresses application/json for clients that accept gzip, and so does wrangler dev.
  { runtime: 'workerd', start: serveOnWorkerd, edge: true },
])('byte for byte, on $runtime', ({ start, edge }) => {
  let upstream: SampleServer | undefined;
  let server: WireServer | undefined;
  beforeAll(async () => {
    upstream = await startSampleServer();
    server = await start(upstream.url);
  }, 70_000);
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
  });

  const send = (method: string, path: string, headers: readonly (readonly [string, string])[]) =>
    rawRequest({ port: server?.port ?? 0, method, path, headers });

  /** Clients of these times read no chunked blob, and no content encoding. */
  function expectPlain(response: RawResponse, length: number): void {
    expect(response.header('Content-Length')).toBe(String(length));
    expect(response.header('Transfer-Encoding')).toBeUndefined();
    expect(response.header('Content-Encoding')).toBeUndefined();
  }

  /** The text of a ping or an error. The gzip that clients accept there is decompressed by Go's HTTP transport. */
  function jsonText(response: RawResponse): string {
    expect(response.header('Content-Type')).toBe('application/json');
    const compressed = response.header('Content-Encoding') === 'gzip';
    if (!compressed || !edge) expectPlain(response, response.body.length);
    return new TextDecoder().decode(compressed && edge ? gunzipSync(response.body) : response.body);
  }

  describe('ping', () => {
    it.each([
      ['Docker 1.6.2', '/v2/'],
      ['Docker 1.9.1', '/v2/'],
      ['Docker 1.9.1', '//v2/'],
      ['Docker 1.13.1', '/v2/'],
      ['Docker 19.03.3', '/v2/'],
    ] as const)('%s: GET %s', async (client, path) => {
      const response = await send('GET', path, blobHeaders(client));
      expect(response.status).toBe(200);
      expect(jsonText(response)).toBe('{}');
      expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
    });
  });

  describe('manifests', () => {
    it.each(manifestCases)('$client: $sample as $form', async ({ client, sample, form }) => {
      const path = `/v2/${sample}/manifests/latest`;
      const headers = manifestRequestHeaders[client];
      const expected = await app.get(path, headers);
      const response = await send('GET', path, headers);
      expect(response.status).toBe(200);
      expect(response.header('Content-Type')).toBe(form);
      expect(namesOf(response)).toEqual([...expected.headers.keys()].toSorted());
      for (const [name, value] of expected.headers)
        expect([name, response.header(name)]).toEqual([name, value]);
      expectPlain(response, response.body.length);
      if (form === mediaTypes.schema1Signed) {
        const signed = readSignedSchema1(response.body);
        expect(signed.payload).toEqual(readSignedSchema1(expected.body).payload);
        expect(await signed.verify()).toBe(true);
        expect(response.header('Docker-Content-Digest')).toBe(await sha256Of(signed.payload));
      } else {
        expect(response.body).toEqual(expected.body);
      }
    });

    it.each(manifestCases)('$client: HEAD of $sample has the headers of GET', async ({ client, sample }) => {
      const path = `/v2/${sample}/manifests/latest`;
      const headers = manifestRequestHeaders[client];
      const [byHead, byGet] = [await send('HEAD', path, headers), await send('GET', path, headers)];
      expect(byHead.status).toBe(200);
      expect(namesOf(byHead)).toEqual(namesOf(byGet));
      for (const name of namesOf(byGet)) expect(byHead.header(name)).toBe(byGet.header(name));
      expectPlain(byHead, byGet.body.length);
    });

    it('are not sent to a client that has them', async () => {
      const path = '/v2/sample/oci/manifests/latest';
      const headers = manifestRequestHeaders['Docker 1.13.1'];
      const etag = (await send('HEAD', path, headers)).header('ETag') ?? '';
      const response = await send('GET', path, [...headers, ['If-None-Match', etag]]);
      expect([response.status, response.header('ETag')]).toEqual([304, etag]);
      expect(response.header('Transfer-Encoding')).toBeUndefined();
    });

    const pulls = clients.flatMap((client) => [
      [client, 'sample/schema2'] as const,
      // Decompressed by the proxy: its length must be known before its first byte too.
      [client, 'sample/oci-zstd'] as const,
    ]);
    it.each(pulls)('%s pulls %s, by the digests in it', async (client, sample) => {
      const headers = manifestRequestHeaders[client];
      const manifest = await send('GET', `/v2/${sample}/manifests/latest`, headers);
      const layers = layersOf(manifest.body);
      expect(layers.length).toBeGreaterThan(1);
      for (const digest of layers) {
        const path = `/v2/${sample}/blobs/${digest}`;
        const byHead = await send('HEAD', path, blobHeaders(client));
        const blob = await send('GET', path, blobHeaders(client));
        expect(await sha256Of(blob.body)).toBe(digest);
        expectPlain(blob, blob.body.length);
        // Docker 1.8 and 1.9 use the Content-Length of HEAD as the size of the blob.
        expectPlain(byHead, blob.body.length);
      }
    });
  });

  describe('blobs', () => {
    it.each(clients)('%s: GET of a layer', async (client) => {
      const { digest, path, bytes } = await aLayer();
      const response = await send('GET', path, blobHeaders(client));
      expect(response.status).toBe(200);
      expect(response.body).toEqual(bytes);
      expectPlain(response, bytes.length);
      expect(response.header('Content-Type')).toBe('application/octet-stream');
      expect(response.header('Docker-Content-Digest')).toBe(digest);
      expect(response.header('ETag')).toBe(`"${digest}"`);
      // Docker up to 1.7 does not refuse bytes of another digest, so it gets no part that cannot be verified.
      expect(response.header('Accept-Ranges')).toBe(client === 'Docker 1.6.2' ? 'none' : 'bytes');
    });

    it('HEAD of a layer has the headers of GET', async () => {
      const { path } = await aLayer();
      const byHead = await send('HEAD', path, blobHeaders('Docker 1.9.1'));
      const byGet = await send('GET', path, blobHeaders('Docker 1.9.1'));
      expect(namesOf(byHead)).toEqual(namesOf(byGet));
      for (const name of namesOf(byGet)) expect(byHead.header(name)).toBe(byGet.header(name));
      expectPlain(byHead, byGet.body.length);
    });

    it.each([
      ['bytes=5-', 5, undefined],
      ['bytes=0-9', 0, 10],
      ['bytes=-7', -7, undefined],
    ])('a part of a layer: Range %s', async (range, start, end) => {
      const { path, bytes } = await aLayer();
      const part = bytes.slice(start, end);
      const response = await send('GET', path, [...blobHeaders('Docker 1.13.1'), ['Range', range]]);
      expect(response.status).toBe(206);
      expect(response.body).toEqual(part);
      expectPlain(response, part.length);
      const first = start < 0 ? bytes.length + start : start;
      expect(response.header('Content-Range')).toBe(
        `bytes ${first}-${first + part.length - 1}/${bytes.length}`,
      );
    });

    it('a large layer streams through, with its length known before its first byte', async () => {
      const { path, bytes, digest } = largeBlob;
      const whole = await send('GET', path, blobHeaders('Docker 1.6.2'));
      expect(whole.status).toBe(200);
      expectPlain(whole, bytes.length);
      expect(await sha256Of(whole.body)).toBe(digest);
      expectPlain(await send('HEAD', path, blobHeaders('Docker 1.9.1')), bytes.length);
    });

    it('the rest of a large layer that broke off: Range bytes=N-', async () => {
      const { path, bytes } = largeBlob;
      const start = 2_000_000;
      const rest = await send('GET', path, [...blobHeaders('Docker 1.13.1'), ['Range', `bytes=${start}-`]]);
      expect(rest.status).toBe(206);
      expectPlain(rest, bytes.length - start);
      expect(await sha256Of(rest.body)).toBe(await sha256Of(bytes.subarray(start)));
      expect(rest.header('Content-Range')).toBe(`bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    });

    it('a range beyond the end: 416', async () => {
      const { path, bytes } = await aLayer();
      const range = ['Range', `bytes=${bytes.length}-`] as const;
      const response = await send('GET', path, [...blobHeaders('Docker 1.13.1'), range]);
      expect([response.status, response.header('Content-Range')]).toEqual([416, `bytes */${bytes.length}`]);
    });

    it('a layer that the client has: 304', async () => {
      const { path, digest } = await aLayer();
      const known = ['If-None-Match', `"${digest}"`] as const;
      const response = await send('GET', path, [...blobHeaders('Docker 1.13.1'), known]);
      expect([response.status, response.header('ETag')]).toEqual([304, `"${digest}"`]);
    });

    it('the empty layer: GET, HEAD and a part of it', async () => {
      const path = `/v2/sample/oci/blobs/${emptyLayer}`;
      const whole = await send('GET', path, blobHeaders('Docker 1.6.2'));
      expect(whole.status).toBe(200);
      expect(await sha256Of(whole.body)).toBe(emptyLayer);
      expectPlain(whole, 32);
      expectPlain(await send('HEAD', path, blobHeaders('Docker 1.9.1')), 32);
      const range = ['Range', 'bytes=30-'] as const;
      const part = await send('GET', path, [...blobHeaders('Docker 1.13.1'), range]);
      expect([part.status, part.header('Content-Range')]).toEqual([206, 'bytes 30-31/32']);
      expect(part.body).toEqual(whole.body.slice(30));
      expectPlain(part, 2);
    });
  });

  describe('errors', () => {
    const nowhere = `sha256:${'0'.repeat(64)}`;
    it.each([
      ['GET', '/v2/sample/oci/manifests/nowhere', 404, 'MANIFEST_UNKNOWN'],
      ['GET', `/v2/sample/oci/blobs/${nowhere}`, 404, 'BLOB_UNKNOWN'],
      ['GET', '/v2/sample/helm-chart/manifests/latest', 404, 'UNSUPPORTED'],
      ['GET', '/v2/Sample/manifests/latest', 400, 'NAME_INVALID'],
      ['DELETE', '/v2/sample/oci/manifests/latest', 405, 'UNSUPPORTED'],
    ])('%s %s: %i %s', async (method, path, status, code) => {
      const response = await send(method, path, manifestRequestHeaders['Docker 1.9.1']);
      const { errors } = JSON.parse(jsonText(response)) as { errors: { code: string }[] };
      expect([response.status, errors[0]?.code]).toEqual([status, code]);
    });

    it.each([
      ['/v2/sample/oci/manifests/nowhere', 404],
      [`/v2/sample/oci/blobs/${nowhere}`, 404],
    ])('HEAD %s: %i, with no body', async (path, status) => {
      const response = await send('HEAD', path, manifestRequestHeaders['Docker 1.9.1']);
      expect(response.status).toBe(status);
      expect(response.body).toHaveLength(0);
      // A length would be that of other words than those of a GET.
      expect(response.header('Content-Length')).toBeUndefined();
      expect(response.header('Transfer-Encoding')).toBeUndefined();
    });
  });
});
