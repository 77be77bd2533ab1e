import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const alice = 'Basic YWxpY2U6c2VjcmV0';
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const modern = { Accept: `${mediaTypes.ociManifest}, ${mediaTypes.schema2}` };
const manifest = new TextEncoder().encode('{"schemaVersion":2}');
const digest = digestOf(manifest);

const writes: readonly [string, string][] = [
  ['POST', '/v2/team/app/blobs/uploads/'],
  ['GET', '/v2/team/app/blobs/uploads/u1'],
  ['PATCH', '/v2/team/app/blobs/uploads/u1'],
  ['PUT', '/v2/team/app/blobs/uploads/u1'],
  ['DELETE', '/v2/team/app/blobs/uploads/u1'],
  ['PUT', '/v2/team/app/manifests/latest'],
  ['DELETE', '/v2/team/app/manifests/latest'],
  ['DELETE', `/v2/team/app/blobs/${digest}`],
];

describe('pushes and deletions', () => {
  it.each([400, 404, 413, 415, 500])(
    'keep the status %i and the words of a refusal that came with gzip, which was not requested',
    async (status) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      const text = JSON.stringify({
        errors: [{ code: 'MANIFEST_INVALID', message: 'the registry says no' }],
      });
      // The web's fetch decodes a body and leaves its header.
      for (const body of [await gzip(text), new TextEncoder().encode(text)]) {
        const app = testApp({}, scriptedUpstream(() => new Response(body, { status, headers })).fetch);
        for (const [method, path] of writes) {
          const response = await app.send(method, path);
          expect([method, path, response.status, response.text()]).toEqual([method, path, status, text]);
          expect(response.header('Content-Length') ?? `${text.length}`).toBe(`${text.length}`);
        }
      }
    },
  );

  it.each([
    ['gzip', new Uint8Array([0x1f, 0x8b])],
    ['gzip', new Uint8Array(70_000)],
    ['br', new Uint8Array([0x0b, 0x02])],
  ])('keep the status of a refusal whose body with %s has no words', async (encoding, body) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding };
    const app = testApp({}, scriptedUpstream(() => new Response(body, { status: 403, headers })).fetch);
    for (const [method, path] of writes) {
      const response = await app.send(method, path);
      expect([method, path, response.status, response.text()]).toEqual([method, path, 403, '']);
      expect(response.header('Content-Length') ?? '0').toBe('0');
    }
  });

  const service = {
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'proxy',
    REGSHIFT_UPSTREAM_PASSWORD: 'secret',
    REGSHIFT_CLIENT_AUTH: 'none',
  };
  const taking: Script = (request) =>
    request.method === 'GET' ? undefined : new Response(null, { status: 202 });

  it.each([
    ['are refused when the proxy has its own account', service, false],
    ['are refused in anonymous mode', { REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, false],
    ['are passed on with the login of the client', {}, true],
    [
      'are passed on with the account of the proxy and REGSHIFT_PUSH=allow',
      { ...service, REGSHIFT_PUSH: 'allow' },
      true,
    ],
    ['are refused with REGSHIFT_PUSH=refuse', { REGSHIFT_PUSH: 'refuse' }, false],
  ])('%s', async (_, variables, may) => {
    for (const [method, path] of writes) {
      const upstream = scriptedUpstream((request, url) =>
        url.pathname.includes('/uploads/') ? new Response(null, { status: 202 }) : taking(request, url),
      );
      const response = await testApp(variables, upstream.fetch).send(method, path);
      if (may) expect([method, path, response.status]).toEqual([method, path, 202]);
      else {
        expect([response.status, response.error().code]).toEqual([405, 'UNSUPPORTED']);
        expect(response.error().message).toContain('REGSHIFT_PUSH');
        expect(response.header('Allow')).toBe(path.includes('/uploads/') ? '' : 'GET, HEAD');
        expect(upstream.asked).toEqual([]);
      }
    }
  });

  it('are 401 for clients that may not use the proxy', async () => {
    const users = 'carol:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
    const variables = {
      ...service,
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: users,
      REGSHIFT_PUSH: 'allow',
    };
    const upstream = scriptedUpstream(taking);
    const app = testApp(variables, upstream.fetch);
    for (const [method, path] of writes) expect((await app.send(method, path)).status).toBe(401);
    expect(upstream.asked).toEqual([]);
    await app.send('DELETE', '/v2/team/app/manifests/latest', {
      Authorization: `Basic ${btoa('carol:secret')}`,
    });
    // The registry did not require a login, and got none, not even the client's.
    expect(upstream.carried).toEqual([null]);
  });

  it('need no push scope from the token server when they are refused', async () => {
    const asked: string[][] = [];
    const script: Script = (_request, url) => {
      if (url.host !== 'auth.test') {
        return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="https://auth.test/"' });
      }
      asked.push(url.searchParams.getAll('scope'));
      return Response.json({ token: 'good' });
    };
    const scopes = ['pull,push', 'push', '*', 'pull'].map((actions) => `repository:team/app:${actions}`);
    const query = scopes.map((scope) => `scope=${scope}`).join('&');
    for (const push of ['allow', 'refuse']) {
      const app = testApp({ REGSHIFT_PUSH: push }, scriptedUpstream(script).fetch);
      expect((await app.get(`/token?${query}`, { Authorization: alice })).status).toBe(200);
    }
    expect(asked).toEqual([scopes, ['repository:team/app:pull']]);
  });
});

describe('a manifest', () => {
  it('is passed on unchanged, and the response has its Location and OCI-Subject', async () => {
    const put: Record<string, unknown>[] = [];
    const upstream = scriptedUpstream(async (request, url) => {
      if (request.method !== 'PUT') return undefined;
      put.push({
        path: `${url.pathname}${url.search}`,
        type: request.headers.get('content-type'),
        length: request.headers.get('content-length'),
        body: await request.text(),
      });
      const headers = { Location: '/somewhere', 'Docker-Content-Digest': digest, 'OCI-Subject': digest };
      return new Response(null, { status: 201, headers });
    });
    const app = testApp({}, upstream.fetch);
    const headers = { 'Content-Type': mediaTypes.ociManifest, 'Content-Length': String(manifest.length) };
    const response = await app.send('PUT', `/v2/team/app/manifests/1.0?ns=a.test&tag=x`, headers, {
      body: manifest,
    });
    expect(put).toEqual([
      {
        path: '/v2/team/app/manifests/1.0?tag=x',
        type: mediaTypes.ociManifest,
        length: String(manifest.length),
        body: '{"schemaVersion":2}',
      },
    ]);
    expect(response.status).toBe(201);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: `http://regshift.test/v2/team/app/manifests/${digest}`,
      'docker-content-digest': digest,
      'oci-subject': digest,
    });
  });

  it.each([
    ['delete', 'repository:team/app:delete'],
    ['push', 'repository:team/app:push'],
  ])('is deleted with the scope that upstream names: %s', async (_, scope) => {
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good' });
      const isDelete = request.method === 'DELETE';
      if (request.headers.get('authorization') === 'Bearer good') {
        return isDelete ? new Response(null, { status: 202 }) : specError(404, 'BLOB_UNKNOWN');
      }
      const wanted = isDelete ? scope : 'repository:team/app:pull';
      return specError(401, 'UNAUTHORIZED', {
        'WWW-Authenticate': `Bearer realm="https://auth.test/",scope="${wanted}"`,
      });
    });
    const response = await testApp({}, upstream.fetch).send('DELETE', `/v2/team/app/manifests/${digest}`, {
      Authorization: alice,
    });
    expect(response.status).toBe(202);
    const tokens = upstream.asked.filter((each) => each.startsWith('GET https://auth.test/'));
    expect(new URL(tokens.at(-1)?.slice(4) ?? '').searchParams.getAll('scope')).toEqual([scope]);
  });
});

describe('after a write', () => {
  it.each([
    ['PUT', '/v2/team/app/manifests/latest', 200],
    ['PUT', '/v2/short/manifests/latest', 200],
    ['DELETE', '/v2/team/app/manifests/latest', 404],
    ['DELETE', `/v2/team/app/manifests/${digest}`, 404],
  ])('%s %s, the next pull sees the change', async (method, path, status) => {
    const samples = scriptedUpstream();
    let sample = 'sample/oci';
    const app = testApp({ REGSHIFT_ALIASES: 'short=team/app' }, async (href, init) => {
      if (init.method === 'PUT' || init.method === 'DELETE') {
        sample = init.method === 'PUT' ? 'sample/schema2' : 'sample/none';
        return new Response(null, { status: 202 });
      }
      return samples.fetch(href.replace('/v2/team/app/', `/v2/${sample}/`), init);
    });
    const pull = () => app.get('/v2/team/app/manifests/latest', modern);
    const before = await pull();
    expect([before.status, (await pull()).header('Docker-Content-Digest')]).toEqual([
      200,
      before.header('Docker-Content-Digest'),
    ]);
    await app.send(method, path);
    const after = await pull();
    expect(after.status).toBe(status);
    expect(after.header('Docker-Content-Digest')).not.toBe(before.header('Docker-Content-Digest'));
  });

  it('a digest that was unknown before is searched again', async () => {
    let there = false;
    const samples = scriptedUpstream();
    const app = testApp({}, async (href, init) => {
      if (init.method === 'PUT') {
        there = true;
        return new Response(null, { status: 201 });
      }
      return samples.fetch(
        there
          ? href.replace('/v2/team/app/', '/v2/sample/oci/')
          : href.replace('/v2/team/app/', '/v2/sample/schema2/'),
        init,
      );
    });
    const made = await testApp().get('/v2/sample/oci/manifests/latest', docker113);
    expect(made.header('Regshift-Conversion')).toBe('oci -> schema2');
    const path = `/v2/team/app/manifests/${made.header('Docker-Content-Digest')}`;
    expect((await app.get(path, docker113)).status).toBe(404);
    await app.send('PUT', '/v2/team/app/manifests/latest');
    expect((await app.get(path, docker113)).status).toBe(200);
  });

  it('a response to a request from before the write is not cached', async () => {
    const samples = scriptedUpstream();
    const of = (sample: string, href: string) => href.replace('/v2/team/app/', `/v2/${sample}/`);
    const [go, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let written = false;
    const app = testApp({}, async (href, init) => {
      if (init.method === 'PUT') {
        written = true;
        return new Response(null, { status: 201 });
      }
      if (init.method === 'HEAD') {
        const sample = written ? 'sample/schema2' : 'sample/oci';
        asked.resolve();
        if (!written) await go.promise;
        return samples.fetch(of(sample, href), init);
      }
      const found = await samples.fetch(of('sample/oci', href), init);
      return found.ok ? found : samples.fetch(of('sample/schema2', href), init);
    });
    const early = app.get('/v2/team/app/manifests/latest', modern);
    await asked.promise;
    await app.send('PUT', '/v2/team/app/manifests/latest');
    const after = await app.get('/v2/team/app/manifests/latest', modern);
    go.resolve();
    const first = await early;
    expect(first.header('Docker-Content-Digest')).not.toBe(after.header('Docker-Content-Digest'));
    const last = await app.get('/v2/team/app/manifests/latest', modern);
    expect(last.header('Docker-Content-Digest')).toBe(after.header('Docker-Content-Digest'));
  });
});

describe('a converted manifest', () => {
  const missing: Script = (request) => {
    if (request.method === 'DELETE') return specError(404, 'MANIFEST_UNKNOWN');
    return request.method === 'PUT' ? specError(400, 'MANIFEST_BLOB_UNKNOWN') : undefined;
  };

  async function converted(script: Script) {
    const upstream = scriptedUpstream(script);
    const app = testApp({}, upstream.fetch);
    const lines = [...docker113, ['Authorization', alice]] as const;
    const response = await app.get('/v2/sample/oci/manifests/latest', lines);
    const [made, source] = ['Docker-Content-Digest', 'Regshift-Source-Digest'].map(
      (name) => response.header(name) ?? '',
    );
    expect(made).not.toBe(source);
    return { app, made, source };
  }

  it.each(['DELETE', 'PUT'])('refuses a %s, and the error names its source', async (method) => {
    const { app, made, source } = await converted(missing);
    const response = await app.send(method, `/v2/sample/oci/manifests/${made}`, { Authorization: alice });
    expect([response.status, response.error().code, response.header('Allow')]).toEqual([
      405,
      'UNSUPPORTED',
      'GET, HEAD',
    ]);
    expect(response.error().message).toContain(source);
    expect(response.error().detail).toEqual({ digest: made, source });
  });

  it('is not named to a client that may not read its source', async () => {
    const guarded = privateTo(alice);
    const { app, made, source } = await converted((request, url) =>
      request.method === 'DELETE' ? missing(request, url) : guarded(request, url),
    );
    const response = await app.send('DELETE', `/v2/sample/oci/manifests/${made}`, {
      Authorization: 'Basic Ym9iOmJvYg==',
    });
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(response.text()).not.toContain(source);
  });

  it('is named when upstream refuses a manifest that references it', async () => {
    const {
      app: first,
      made,
      source,
    } = await converted((request) =>
      request.method === 'PUT'
        ? Response.json(
            { errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'unknown', detail: { digest: made } }] },
            { status: 404 },
          )
        : undefined,
    );
    const response = await first.send('PUT', '/v2/sample/oci/manifests/copy', {}, { body: manifest });
    expect([response.status, response.error().detail]).toEqual([405, { digest: made, source }]);
  });

  it('is deleted when upstream has it too', async () => {
    const { app, made } = await converted((request) =>
      request.method === 'DELETE' ? new Response(null, { status: 202 }) : undefined,
    );
    expect((await app.send('DELETE', `/v2/sample/oci/manifests/${made}`)).status).toBe(202);
  });
});

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
