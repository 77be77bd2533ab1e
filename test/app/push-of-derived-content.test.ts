import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Answer, type RequestHeaders, type TestApp, testApp } from '../support/app.ts';
import { bytesOf, concatenated } from '../support/byte-streams.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore } from '../support/memory-blob-store.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { compressedLength, zstdFrames } from '../support/packed-content.ts';
import { compressedImage } from '../support/packed-image.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';
import { writableRegistry } from '../support/writable-registry.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const schema2 = [['Accept', mediaTypes.schema2]] as const;
const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';

function start(before?: Script, variables: Record<string, string> = {}) {
  const registry = writableRegistry(before);
  const upstream = scriptedUpstream(registry.script);
  return { registry, upstream, app: testApp(variables, upstream.fetch) };
}

const as = (headers: readonly (readonly [string, string])[], authorization = alice): RequestHeaders => [
  ...headers,
  ['Authorization', authorization],
];

function pull(app: TestApp, sample: string, headers: readonly (readonly [string, string])[]) {
  return app.get(`/v2/${sample}/manifests/latest`, as(headers));
}

/** Pushes the pulled image unchanged. */
function push(app: TestApp, path: string, pulled: Answer, authorization = alice): Promise<Answer> {
  const type = pulled.header('Content-Type') ?? '';
  const headers = {
    'Content-Type': type,
    'Content-Length': String(pulled.body.length),
    Authorization: authorization,
  };
  return app.send('PUT', path, headers, { body: pulled.body });
}

interface Document {
  readonly fsLayers?: readonly { readonly blobSum: string }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

function blobsOf({ text }: Answer): string[] {
  const { fsLayers = [], config, layers = [] } = JSON.parse(text()) as Document;
  const named = [...fsLayers.map(({ blobSum }) => blobSum), ...layers.map(({ digest }) => digest)];
  return [...new Set([...named, ...(config ? [config.digest] : [])])];
}

const cases = [
  ['the empty layer, by Docker 1.9', 'sample/schema2-empty-layers', docker19],
  ['decompressed layers, by Docker 1.9', 'sample/oci-zstd', docker19],
  ['decompressed layers, by Docker 1.13', 'sample/oci-zstd', docker113],
  ['a derived config', 'sample/schema1', schema2],
] as const;

describe('a push that skips the blobs which HEAD reported as present', () => {
  it.each(cases)('succeeds for %s', async (_, sample, headers) => {
    const { registry, upstream, app } = start();
    const pulled = await pull(app, sample, headers);
    for (const digest of blobsOf(pulled)) {
      expect((await app.head(`/v2/${sample}/blobs/${digest}`, { Authorization: alice })).status).toBe(200);
    }
    upstream.forget();
    const response = await push(app, `/v2/${sample}/manifests/again`, pulled);
    expect([response.status, response.text()]).toEqual([201, '']);
    expect(registry.blobs.size).toBeGreaterThan(0);
    expect(registry.manifests.get(`${sample}:again`)).toEqual(pulled.body);
    expect(registry.open.size).toBe(0);
    expect(upstream.asked.filter((each) => each.startsWith('PUT') && each.includes('/manifests/'))).toEqual([
      `PUT /v2/${sample}/manifests/again`,
    ]);
    expect(new Set(upstream.carried)).toEqual(new Set([alice]));
    // Blobs that upstream has now are not uploaded again.
    upstream.forget();
    expect((await push(app, `/v2/${sample}/manifests/more`, pulled)).status).toBe(201);
    expect(upstream.asked.filter((each) => each.startsWith('POST'))).toEqual([]);
  });

  it.each([
    ['sample/index', 2, 0],
    // Only the zstd layers of the client's platform are read.
    ['sample/index-zstd', 1, 2],
  ])('succeeds for the list of %s, with its manifests and layers', async (sample, children, layers) => {
    const { registry, app } = start();
    const list = await pull(app, sample, docker113);
    const { manifests = [] } = JSON.parse(list.text()) as Document;
    expect(manifests).toHaveLength(children);
    expect((await push(app, `/v2/${sample}/manifests/again`, list)).status).toBe(201);
    for (const { digest } of manifests) {
      const child = registry.manifests.get(`${sample}@${digest}`) ?? new Uint8Array();
      expect(digestOf(child)).toBe(digest);
    }
    expect(registry.blobs.size).toBe(layers);
  });

  it('uses the proxy’s own account when clients push with it', async () => {
    const { registry, upstream, app } = start(
      (request, url) => {
        if (url.origin !== upstreamUrl || request.headers.get('authorization') === alice) return undefined;
        return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
      },
      {
        REGSHIFT_UPSTREAM_AUTH: 'basic',
        REGSHIFT_UPSTREAM_USERNAME: 'alice',
        REGSHIFT_UPSTREAM_PASSWORD: 'secret',
        REGSHIFT_CLIENT_AUTH: 'none',
        REGSHIFT_PUSH: 'allow',
      },
    );
    const pulled = await pull(app, 'sample/oci-zstd', docker19);
    upstream.forget();
    expect((await push(app, '/v2/sample/oci-zstd/manifests/again', pulled, bob)).status).toBe(201);
    expect(registry.blobs.size).toBeGreaterThan(1);
    expect(upstream.carried).not.toContain(bob);
  });
});

describe('a decompressed layer', () => {
  it('is uploaded while upstream still sends the compressed one', async () => {
    const [first = new Uint8Array(), second = new Uint8Array()] = zstdFrames;
    const [compressed, tar] = [concatenated(first, second).slice(), layerContent(compressedLength)];
    const stored = compressedImage('team/app', [{ mediaType: mediaTypes.ociLayerZstd, compressed, tar }]);
    const received = Promise.withResolvers<void>();
    let isPushed = false;
    const inTwoParts = () =>
      new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(first);
          await received.promise;
          controller.enqueue(second);
          controller.close();
        },
      });
    const uploaded: Uint8Array[] = [];
    const { app } = start(async (request, url) => {
      const { pathname } = url;
      if (isPushed && request.method === 'GET' && pathname.endsWith(digestOf(compressed))) {
        return new Response(inTwoParts(), { headers: { 'Content-Length': String(compressed.length) } });
      }
      if (request.method !== 'PUT' || !pathname.includes('/uploads/')) {
        const isWrite = request.method === 'PUT' || request.method === 'POST';
        return isWrite ? undefined : stored(request, url);
      }
      for await (const chunk of request.body as ReadableStream<Uint8Array>) {
        uploaded.push(chunk);
        received.resolve();
      }
      return new Response(null, { status: 201 });
    });
    const pulled = await pull(app, 'team/app', docker113);
    isPushed = true;
    await push(app, '/v2/team/app/manifests/again', pulled);
    expect(digestOf(concatenated(...uploaded))).toBe(digestOf(tar));
  });

  it('whose stored bytes have changed leaves the store, so that the next push has the right ones', async () => {
    const registry = writableRegistry();
    const store = createMemoryBlobStore();
    const app = testApp({}, scriptedUpstream(registry.script).fetch, { store });
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    for (const digest of blobsOf(pulled)) await app.get(`/v2/sample/oci-zstd/blobs/${digest}`, as([]));
    await app.settled();
    expect(store.blobs.size).toBeGreaterThan(0);
    for (const [key, bytes] of store.blobs) store.blobs.set(key, bytes.with(600, (bytes[600] ?? 0) ^ 1));
    const again = () => push(app, '/v2/sample/oci-zstd/manifests/again', pulled);
    const refused = await again();
    expect([refused.status, refused.error().code]).toEqual([502, 'MANIFEST_INVALID']);
    await app.settled();
    expect(store.blobs.size).toBe(0);
    expect((await again()).status).toBe(201);
  });
});

describe('a push without derived content', () => {
  it('costs no additional request to upstream', async () => {
    const { upstream, app } = start();
    const pulled = await pull(app, 'sample/oci', [['Accept', '*/*']]);
    upstream.forget();
    expect((await push(app, '/v2/sample/oci/manifests/again', pulled)).status).toBe(201);
    // A ping precedes the first body.
    expect(upstream.asked.filter((each) => each !== 'GET /v2/')).toEqual([
      'PUT /v2/sample/oci/manifests/again',
    ]);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['of no known dialect', '{"a": 1}'],
  ])('is passed on byte for byte, even if its body is %s', async (_, text) => {
    const put: string[] = [];
    const { app } = start(async (request) => {
      if (request.method !== 'PUT') return undefined;
      put.push(`${request.headers.get('content-length')} ${await request.text()}`);
      return new Response(null, { status: 201 });
    });
    const body = new TextEncoder().encode(text);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(body.slice(0, 3));
        controller.enqueue(body.slice(3));
        controller.close();
      },
    });
    const headers = { 'Transfer-Encoding': 'chunked' };
    const response = await app.send('PUT', '/v2/team/app/manifests/x', headers, { body: stream });
    expect(response.status).toBe(201);
    expect(put).toEqual([`${body.length} ${text}`]);
  });
});

describe('content that another replica derived', () => {
  it.each(cases)('is found after upstream’s refusal: %s', async (_, sample, headers) => {
    const { registry, upstream, app } = start();
    const pulled = await pull(app, sample, headers);
    const other = testApp({}, upstream.fetch);
    const userAgent = headers.filter(([name]) => name === 'User-Agent');
    const type = ['Content-Type', pulled.header('Content-Type') ?? ''] as const;
    const response = await other.send('PUT', `/v2/${sample}/manifests/again`, as([...userAgent, type]), {
      body: pulled.body,
    });
    expect([response.status, response.text()]).toEqual([201, '']);
    expect(registry.manifests.get(`${sample}:again`)).toEqual(pulled.body);
  });

  it('causes one search, and upstream’s refusal is passed on unchanged', async () => {
    const { upstream, app } = start();
    const [one, two] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.schema2,
      config: { mediaType: mediaTypes.dockerConfig, digest: one, size: 1 },
      layers: [{ mediaType: mediaTypes.dockerLayerGzip, digest: two, size: 1 }],
    };
    const body = new TextEncoder().encode(JSON.stringify(document));
    const response = await app.send(
      'PUT',
      '/v2/sample/oci/manifests/again',
      { 'Content-Type': mediaTypes.schema2, Authorization: alice },
      { body },
    );
    expect(response.status).toBe(404);
    const { errors } = JSON.parse(response.text()) as { errors: { code: string; detail: unknown }[] };
    expect(errors.map(({ code, detail }) => [code, detail])).toEqual([
      ['MANIFEST_BLOB_UNKNOWN', { digest: one }],
      ['MANIFEST_BLOB_UNKNOWN', { digest: two }],
    ]);
    expect(upstream.asked.filter((each) => each.startsWith('PUT'))).toHaveLength(1);
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toHaveLength(1);
  });
});

describe('rights', () => {
  it('a client that may not read the image gets upstream’s refusal, and nothing is uploaded', async () => {
    const { registry, upstream, app } = start((request, url) => {
      const isRead = request.method !== 'PUT' && url.pathname.includes('/manifests/');
      return isRead && request.headers.get('authorization') === bob
        ? specError(404, 'MANIFEST_UNKNOWN')
        : undefined;
    });
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    app.advance(31);
    const response = await push(app, '/v2/sample/oci-zstd/manifests/again', pulled, bob);
    expect(response.status).toBe(404);
    expect(response.text()).toContain('MANIFEST_BLOB_UNKNOWN');
    expect(response.text()).not.toContain('regshift');
    expect(upstream.asked.filter((each) => each.startsWith('POST'))).toEqual([]);
    expect(registry.blobs.size).toBe(0);
  });

  it('a client that may not push gets the refusal, and no upload is left open', async () => {
    const { registry, app } = start((request) =>
      request.method === 'POST' ? specError(403, 'DENIED') : undefined,
    );
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    const response = await push(app, '/v2/sample/oci-zstd/manifests/again', pulled);
    expect([response.status, response.error().code]).toEqual([403, 'DENIED']);
    expect(response.error().message).toMatch(
      /Upstream answered 403 for the upload of sha256:\w+ to sample\/oci-zstd/,
    );
    expect([registry.manifests.size, registry.open.size]).toEqual([0, 0]);
  });

  it('a login is not sent to an upload location at another host', async () => {
    const stored: Uint8Array[] = [];
    const { upstream, app } = start(async (request, url) => {
      if (url.origin !== upstreamUrl) {
        stored.push(await bytesOf(request.body as ReadableStream<Uint8Array>));
        return new Response(null, { status: 201 });
      }
      if (request.method !== 'POST') return undefined;
      const headers = { Location: 'https://storage.test/u?sig=a%2Bb' };
      return new Response(null, { status: 202, headers });
    });
    const pulled = await pull(app, 'sample/schema2-empty-layers', docker19);
    await push(app, '/v2/sample/schema2-empty-layers/manifests/again', pulled);
    const digest = encodeURIComponent(emptyLayer.digest);
    const at = upstream.asked.indexOf(`PUT https://storage.test/u?sig=a%2Bb&digest=${digest}`);
    expect(at).not.toBe(-1);
    expect(upstream.carried[at]).toBeNull();
    expect(stored).toEqual([emptyLayer.bytes]);
  });
});

describe('an upload that fails', () => {
  const layerPut: (response: () => Response) => Script = (response) => (request, url) =>
    request.method === 'PUT' && url.pathname.includes('/uploads/') ? response() : undefined;

  it.each([
    ['refused', () => specError(413, 'SIZE_INVALID'), 413],
    ['refused by a gateway', () => new Response('too large', { status: 413 }), 413],
    ['broken', () => new Response(null, { status: 503 }), 503],
  ])('is cancelled, and the manifest is not passed on: %s', async (_, response, status) => {
    const { registry, upstream, app } = start(layerPut(response));
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    upstream.forget();
    const refused = await push(app, '/v2/sample/oci-zstd/manifests/again', pulled);
    expect(refused.status).toBe(status);
    expect(refused.error().message).toContain('for the upload of sha256:');
    expect(upstream.asked.some((each) => each.startsWith('DELETE '))).toBe(true);
    expect([registry.manifests.size, registry.blobs.size, registry.open.size]).toEqual([0, 0, 0]);
  });

  it('commits no layer that does not match its recipe, and the error says why', async () => {
    let broken = false;
    const { registry, upstream, app } = start(async (request, url) => {
      if (!broken || request.method !== 'GET' || !url.pathname.includes('/blobs/')) return undefined;
      return new Response(Uint8Array.from({ length: 100 }, (_, index) => index));
    });
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    broken = true;
    upstream.forget();
    const response = await push(app, '/v2/sample/oci-zstd/manifests/again', pulled);
    expect([response.status, response.error().code]).toEqual([502, 'MANIFEST_INVALID']);
    expect([registry.manifests.size, registry.blobs.size, registry.open.size]).toEqual([0, 0, 0]);
    expect(upstream.asked.filter((each) => each.includes('/manifests/again'))).toEqual([]);
  });

  it('is cancelled when the client disconnects', async () => {
    const leaving = new AbortController();
    const { registry, upstream, app } = start((request, url) => {
      if (request.method !== 'PUT' || !url.pathname.includes('/uploads/')) return undefined;
      leaving.abort();
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason));
        if (request.signal.aborted) reject(request.signal.reason);
      });
    });
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    upstream.forget();
    const type = { 'Content-Type': mediaTypes.schema2, Authorization: alice };
    const more = { body: pulled.body, signal: leaving.signal };
    await app.send('PUT', '/v2/sample/oci-zstd/manifests/again', type, more).catch(() => undefined);
    expect(upstream.asked.some((each) => each.startsWith('DELETE '))).toBe(true);
    expect([registry.manifests.size, registry.open.size]).toEqual([0, 0]);
  });

  it('passes the push on unchanged when the source image is gone', async () => {
    let gone = false;
    const { app } = start((request, url) =>
      gone && request.method === 'GET' && url.pathname.includes('/blobs/')
        ? specError(404, 'BLOB_UNKNOWN')
        : undefined,
    );
    const pulled = await pull(app, 'sample/oci-zstd', docker113);
    gone = true;
    const response = await push(app, '/v2/sample/oci-zstd/manifests/again', pulled);
    expect([response.status, response.text()]).toEqual([
      405,
      expect.stringContaining('The registry does not have sha256:'),
    ]);
  });
});

describe('a manifest that is too large', () => {
  it('is refused by its Content-Length before a byte is read', async () => {
    const { upstream, app } = start();
    const headers = { 'Content-Length': String(4 * 1024 * 1024 + 1) };
    const body = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('was read')) });
    const response = await app.send('PUT', '/v2/team/app/manifests/x', headers, { body });
    expect([response.status, response.error().code]).toEqual([413, 'MANIFEST_INVALID']);
    expect(upstream.asked).toEqual([]);
  });

  it('is refused at the first byte beyond the limit', async () => {
    const { upstream, app } = start();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const response = await app.send('PUT', '/v2/team/app/manifests/x', {}, { body });
    expect([response.status, response.error().code]).toEqual([413, 'MANIFEST_INVALID']);
    expect(upstream.asked).toEqual([]);
  });

  it('that breaks off is 400, and no request goes to upstream', async () => {
    const { upstream, app } = start();
    const body = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('reset')) });
    const response = await app.send('PUT', '/v2/team/app/manifests/x', {}, { body });
    expect([response.status, response.error().code]).toEqual([400, 'MANIFEST_INVALID']);
    expect(upstream.asked).toEqual([]);
  });
});
