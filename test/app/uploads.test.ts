import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { testApp } from '../support/app.ts';
import { bytesOf } from '../support/byte-streams.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const uploads = '/v2/team/app/blobs/uploads/';
const bytes = new TextEncoder().encode('a layer');
const digest = digestOf(bytes);
const alice = 'Basic YWxpY2U6c2VjcmV0';

const accepted = (headers: Record<string, string> = {}) =>
  new Response(null, { status: 202, headers: { Location: `${uploads}u1`, Range: '0-0', ...headers } });

/** A request body in two parts; the second one waits for `release`. */
function inTwoParts() {
  const { promise: go, resolve: release } = Promise.withResolvers<void>();
  let parts = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (parts === 1) await go;
      if (parts === 2) return controller.close();
      parts += 1;
      controller.enqueue(bytes);
    },
  });
  return { stream, release };
}

/** A script that reads the requests to upstream. @returns their bodies and headers too. */
function receiving(response: () => Response) {
  const received: { method: string; headers: Headers; body: Uint8Array }[] = [];
  const script: Script = async (request) => {
    const body = request.body ? await bytesOf(request.body as ReadableStream<Uint8Array>) : new Uint8Array();
    received.push({ method: request.method, headers: request.headers, body });
    return response();
  };
  return { received, script };
}

describe('an upload', () => {
  it('is passed on byte for byte, with its length and its headers', async () => {
    const { received, script } = receiving(() =>
      accepted({ 'Docker-Upload-UUID': 'u1', 'OCI-Chunk-Min-Length': '9' }),
    );
    const app = testApp({}, scriptedUpstream(script).fetch);
    const headers = {
      'Content-Length': String(bytes.length),
      'Content-Range': '0-6',
      'Content-Type': 'application/octet-stream',
      Cookie: 'a=b',
    };
    const response = await app.send('PATCH', `${uploads}u1?_state=x%3D`, headers, { body: bytes });
    expect(response.status).toBe(202);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'docker-upload-uuid': 'u1',
      'oci-chunk-min-length': '9',
      range: '0-0',
      'docker-distribution-api-version': 'registry/2.0',
    });
    const sent = received.find(({ method }) => method === 'PATCH');
    expect(sent?.body).toEqual(bytes);
    expect(
      ['content-length', 'content-range', 'content-type', 'cookie'].map((name) => sent?.headers.get(name)),
    ).toEqual(['7', '0-6', 'application/octet-stream', null]);
  });

  it('reaches upstream while the client still sends', async () => {
    const { stream, release } = inTwoParts();
    const script: Script = async (request) => {
      const reader = (request.body as ReadableStream<Uint8Array>).getReader();
      const { value } = await reader.read();
      expect(value).toEqual(bytes);
      release();
      while (!(await reader.read()).done);
      return accepted();
    };
    const app = testApp(
      {},
      scriptedUpstream((request) => (request.body ? script(request, new URL(request.url)) : undefined)).fetch,
    );
    expect((await app.send('PATCH', `${uploads}u1`, {}, { body: stream })).status).toBe(202);
  });

  it('without a body is sent without one, and again when upstream requires a token', async () => {
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good', expires_in: 300 });
      if (request.headers.get('authorization') === 'Bearer good') return accepted();
      return specError(401, 'UNAUTHORIZED', {
        'WWW-Authenticate': 'Bearer realm="https://auth.test/",service="s"',
      });
    });
    const app = testApp({}, upstream.fetch);
    const response = await app.send('POST', uploads, { Authorization: alice, 'Content-Length': '0' });
    expect(response.status).toBe(202);
    expect(upstream.asked[1]).toBe(
      'GET https://auth.test/?service=s&scope=repository%3Ateam%2Fapp%3Apull%2Cpush',
    );
    expect(upstream.carried).toEqual([alice, alice, 'Bearer good']);
  });

  it('with a body is sent once, with a token that a ping has asked for before', async () => {
    const bodies: string[] = [];
    const upstream = scriptedUpstream(async (request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good', expires_in: 300 });
      bodies.push(await request.text());
      if (request.headers.get('authorization') === 'Bearer good') return accepted();
      return specError(401, 'UNAUTHORIZED', {
        'WWW-Authenticate': 'Bearer realm="https://auth.test/",service="s"',
      });
    });
    const app = testApp({}, upstream.fetch);
    for (let chunk = 0; chunk < 2; chunk += 1) {
      const response = await app.send('PATCH', `${uploads}u1`, { Authorization: alice }, { body: bytes });
      expect(response.status).toBe(202);
    }
    const patch = `PATCH ${uploads}u1`;
    const token = 'GET https://auth.test/?service=s&scope=repository%3Ateam%2Fapp%3Apull%2Cpush';
    expect(upstream.asked).toEqual(['GET /v2/', token, patch, patch]);
    expect(bodies).toEqual(['', 'a layer', 'a layer']);
  });

  it('that upstream refuses is refused to the client, because its body cannot be sent again', async () => {
    const challenge = 'Bearer realm="https://auth.test/",service="s"';
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good' });
      if (request.method !== 'PATCH') return Response.json({});
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge });
    });
    const app = testApp({}, upstream.fetch);
    const response = await app.send('PATCH', `${uploads}u1`, { Authorization: alice }, { body: bytes });
    expect([response.status, response.error().code]).toEqual([401, 'UNAUTHORIZED']);
    expect(response.header('WWW-Authenticate')).toBe(challenge);
    expect(upstream.asked.filter((each) => each.startsWith('PATCH'))).toHaveLength(1);
  });

  it('cancels the request to upstream when its client disconnects', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const upstream = scriptedUpstream();
    const app = testApp({}, (url, init) => {
      if (init.method !== 'PATCH') return upstream.fetch(url, init);
      return new Promise((_, reject) => {
        init.signal?.addEventListener('abort', () => {
          resolve();
          reject(init.signal?.reason);
        });
        leaving.abort(new Error('the client left'));
      });
    });
    const { stream } = inTwoParts();
    await app
      .send('PATCH', `${uploads}u1`, {}, { body: stream, signal: leaving.signal })
      .catch(() => undefined);
    await aborted;
  });

  it.each([
    [400, 'DIGEST_INVALID'],
    [404, 'BLOB_UPLOAD_UNKNOWN'],
    [413, 'SIZE_INVALID'],
    [416, 'BLOB_UPLOAD_INVALID'],
    [429, 'TOOMANYREQUESTS'],
    [500, 'UNKNOWN'],
  ])('gets %i %s with the message of upstream', async (status, code) => {
    const upstream = scriptedUpstream(() =>
      specError(status, code, { 'Retry-After': '7' }, 'as upstream says'),
    );
    const response = await testApp({}, upstream.fetch).send('PUT', `${uploads}u1?digest=${digest}`);
    expect([response.status, response.error()]).toEqual([status, { code, message: 'as upstream says' }]);
    expect(response.header('Retry-After')).toBe('7');
  });

  it.each(['sha512', 'blake3', 'sha256+b64u'])('may name its digest by %s', async (algorithm) => {
    const other = `${algorithm}:${'0'.repeat(algorithm === 'sha512' ? 128 : 64)}`;
    const { script } = receiving(
      () => new Response(null, { status: 201, headers: { 'Docker-Content-Digest': other } }),
    );
    const app = testApp({}, scriptedUpstream(script).fetch);
    const response = await app.send('PUT', `${uploads}u1?digest=${encodeURIComponent(other)}`, [], {
      body: bytes,
    });
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([201, other]);
    expect(response.header('Location')).toBe(`http://regshift.test/v2/team/app/blobs/${other}`);
  });

  it.each([301, 302, 307, 308])(
    'is not redirected (%i): the redirect would carry the body',
    async (status) => {
      const upstream = scriptedUpstream(
        () => new Response(null, { status, headers: { Location: 'https://other.test/' } }),
      );
      const response = await testApp({}, upstream.fetch).send('PUT', `${uploads}u1?digest=${digest}`, {
        Authorization: alice,
      });
      expect([response.status, response.error().message]).toEqual([502, expect.stringContaining('redirect')]);
      expect(upstream.asked.some((each) => each.includes('other.test'))).toBe(false);
    },
  );
});

describe('a mount', () => {
  const startedWith = async (query: string, variables: Record<string, string> = {}) => {
    const upstream = scriptedUpstream(() => accepted());
    const response = await testApp(variables, upstream.fetch).send('POST', `${uploads}${query}`, {
      'Content-Length': '0',
    });
    expect(response.status).toBe(202);
    return upstream.asked.at(-1)?.replace(`POST ${uploads}`, '');
  };
  const mount = `?mount=${encodeURIComponent(digest)}`;

  it('names both repositories as upstream does', async () => {
    expect(await startedWith(`${mount}&from=team/base`)).toBe(`${mount}&from=team%2Fbase`);
    const aliases = { REGSHIFT_ALIASES: 'base=group/sub/base' };
    expect(await startedWith(`${mount}&from=base`, aliases)).toBe(`${mount}&from=group%2Fsub%2Fbase`);
  });

  it.each(['secret/base', 'Not-a-name'])('from %s, which is not served, is an upload', async (from) => {
    expect(await startedWith(`${mount}&from=${from}`, { REGSHIFT_REPOSITORIES: 'team/*' })).toBe('');
  });

  it('without a source may be from a repository that is not served, and is an upload then', async () => {
    expect(await startedWith(mount)).toBe(mount);
    expect(await startedWith(mount, { REGSHIFT_REPOSITORIES: 'team/*' })).toBe('');
    const joined = `?x=1;${mount.slice(1)};from=secret/app`;
    expect(await startedWith(joined)).toBe(joined);
    expect(await startedWith(joined, { REGSHIFT_REPOSITORIES: 'team/*' })).toBe(
      joined.replaceAll(';', '%3B'),
    );
  });

  it('has no parameter of the proxy at upstream', async () => {
    expect(await startedWith(`${mount}&ns=registry.test`)).toBe(mount);
    expect(await startedWith(`?ns=registry.test&a=%7e+b`)).toBe('?a=%7e+b');
  });

  it('requests a token for the source repository too', async () => {
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good' });
      if (request.headers.get('authorization') === 'Bearer good') {
        return new Response(null, {
          status: 201,
          headers: { Location: '/elsewhere', 'Docker-Content-Digest': digest },
        });
      }
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="https://auth.test/"' });
    });
    const response = await testApp({}, upstream.fetch).send('POST', `${uploads}${mount}&from=team/base`, {
      Authorization: alice,
    });
    const scopes = new URL(upstream.asked[1]?.slice(4) ?? '').searchParams.getAll('scope');
    expect(scopes).toEqual(['repository:team/app:pull,push', 'repository:team/base:pull']);
    expect([response.status, response.header('Location')]).toEqual([
      201,
      `http://regshift.test/v2/team/app/blobs/${digest}`,
    ]);
  });
});
