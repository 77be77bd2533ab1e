import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker20 = manifestRequestHeaders['Docker 20.10'];
const latest = '/v2/sample/schema2/manifests/latest';

describe('a registry with a harmless oddity', () => {
  it('sends no digest: it is computed from the body', async () => {
    const upstream = scriptedUpstream(async (request, url) => {
      const good = await scriptedUpstream().fetch(url.href, { method: request.method });
      const headers = new Headers(good.headers);
      headers.delete('Docker-Content-Digest');
      return new Response(request.method === 'HEAD' ? null : await good.arrayBuffer(), { headers });
    });
    const response = await testApp({}, upstream.fetch).get(latest, docker20);
    expect(response.status).toBe(200);
  });

  it('does not support HEAD: GET replaces it', async () => {
    const upstream = scriptedUpstream((request) =>
      request.method === 'HEAD' ? specError(405, 'UNSUPPORTED') : undefined,
    );
    expect((await testApp({}, upstream.fetch).get(latest, docker19)).status).toBe(200);
  });

  it.each([400, 401, 403, 404, 500, 501])(
    'refuses HEAD with %i: the GET of a client is answered',
    async (status) => {
      const upstream = scriptedUpstream((request) =>
        request.method === 'HEAD' ? specError(status, 'UNSUPPORTED') : undefined,
      );
      const app = testApp({}, upstream.fetch);
      const response = await app.get(latest, docker20);
      expect(response.status).toBe(200);
      const digest = response.header('Docker-Content-Digest');
      expect((await app.get(`/v2/sample/schema2/manifests/${digest}`, docker20)).status).toBe(200);
    },
  );

  it('sends a wrong Content-Type: the body decides', async () => {
    const upstream = scriptedUpstream(async (request, url) => {
      if (!url.pathname.includes('/manifests/')) return undefined;
      const good = await scriptedUpstream().fetch(url.href, { method: request.method });
      const headers = new Headers(good.headers);
      headers.set('Content-Type', 'application/json');
      return new Response(request.method === 'HEAD' ? null : await good.arrayBuffer(), { headers });
    });
    const app = testApp({}, upstream.fetch);
    const list = await app.get('/v2/sample/list/manifests/latest', docker20);
    expect(list.header('Content-Type')).toBe(mediaTypes.dockerList);
    expect((await app.get(latest, docker20)).header('Content-Type')).toBe(mediaTypes.schema2);
  });
});

describe('the refusal of a HEAD', () => {
  it.each([
    [
      400,
      'text/html',
      '<title>400 No required SSL certificate was sent</title>',
      /it wants a client certificate/,
    ],
  ])('with %i has the reason in the body of the GET', async (status, type, body, reason) => {
    const upstream = scriptedUpstream(
      ({ method }) =>
        new Response(method === 'HEAD' ? null : body, { status, headers: { 'Content-Type': type } }),
    );
    const response = await testApp({}, upstream.fetch).get(latest, docker20);
    expect(response.error().message).toMatch(reason);
  });

  // Workers, "Known issues", Fetch to IP addresses.
  it.each([
    ['by tag', 'manifests/latest'],
    ['by digest', `manifests/sha256:${'0'.repeat(64)}`],
    ['of a blob', `blobs/sha256:${'0'.repeat(64)}`],
  ])('by Cloudflare, in place of the registry, is no refusal of the registry: %s', async (_, path) => {
    const headers = { 'Content-Type': 'text/plain; charset=UTF-8' };
    const { fetch } = scriptedUpstream(({ method }) => {
      return new Response(method === 'HEAD' ? null : 'error code: 1003', { status: 403, headers });
    });
    const response = await testApp({}, fetch).get(`/v2/team/app/${path}`);
    expect([response.status, response.error().message]).toEqual([
      502,
      expect.stringContaining('a Worker reaches no IP address; put a host name into REGSHIFT_UPSTREAM'),
    ]);
  });

  it.each([400, 402, 405, 410, 412, 451])('of a blob with %i has the status of the GET', async (status) => {
    const path = `/v2/sample/schema2/blobs/sha256:${'a'.repeat(64)}`;
    const upstream = scriptedUpstream(({ method }, { pathname }) => {
      if (!pathname.includes('/blobs/')) return undefined;
      return method === 'HEAD' ? new Response(null, { status }) : specError(status, 'DENIED', {}, 'a policy');
    });
    const app = testApp({}, upstream.fetch);
    const [head, get] = [await app.head(path, docker20), await app.get(path, docker20)];
    expect([head.status, get.status, get.error().message]).toEqual([
      status,
      status,
      expect.stringContaining('a policy'),
    ]);
  });

  it('with a status that needs words has the status and the reason of the GET', async () => {
    const message = 'current image with 12 vulnerabilities cannot be pulled';
    const upstream = scriptedUpstream(({ method }) => {
      const refusal = specError(412, 'PROJECTPOLICYVIOLATION', {}, message);
      return method === 'HEAD' ? new Response(null, { status: 412 }) : refusal;
    });
    const response = await testApp({}, upstream.fetch).get(latest, docker20);
    expect([response.status, response.error().message]).toEqual([412, expect.stringContaining(message)]);
    expect(upstream.asked).toEqual([`HEAD ${latest}`, `GET ${latest}`]);
  });

  it.each([400, 401, 403, 404, 500, 501])(
    'with %i of a digest at first is no answer to a GET',
    async (status) => {
      const named = await testApp({}, scriptedUpstream().fetch).head(latest, docker20);
      const upstream = scriptedUpstream((request) =>
        request.method === 'HEAD' ? specError(status, 'UNSUPPORTED') : undefined,
      );
      const path = `/v2/sample/schema2/manifests/${named.header('Docker-Content-Digest')}`;
      expect((await testApp({}, upstream.fetch).get(path, docker20)).status).toBe(200);
    },
  );

  const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;

  it('is believed of an upstream that has answered one', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    expect((await app.get(latest, docker20)).status).toBe(200);
    upstream.forget();
    upstream.follow(({ method }) => (method === 'HEAD' ? specError(404, 'MANIFEST_UNKNOWN') : undefined));
    app.advance(100);
    expect((await app.get(latest, docker20)).status).toBe(404);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it.each([429, 502, 503, 504])('%i is the answer to a GET', async (status) => {
    const upstream = scriptedUpstream((request) =>
      request.method === 'HEAD' ? specError(status, 'UNKNOWN') : undefined,
    );
    await testApp({}, upstream.fetch).get(latest, docker20);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('stays while upstream fails at the GET', async () => {
    const upstream = scriptedUpstream((request) =>
      request.method === 'HEAD' ? specError(404, 'MANIFEST_UNKNOWN') : specError(503, 'UNKNOWN'),
    );
    expect((await testApp({}, upstream.fetch).get(latest, docker20)).status).toBe(404);
  });

  it('is not shared with a GET that comes meanwhile', async () => {
    const upstream = scriptedUpstream((request) =>
      request.method === 'HEAD' ? specError(404, 'MANIFEST_UNKNOWN') : undefined,
    );
    const app = testApp({}, upstream.fetch);
    const both = await Promise.all([app.head(latest, docker20), app.get(latest, docker20)]);
    expect(both.map(({ status }) => status)).toEqual([404, 200]);
  });

  it('sends a wrong login by GET, too, and then not for five minutes', async () => {
    const upstream = scriptedUpstream(privateTo('Basic other'));
    const app = testApp({}, upstream.fetch);
    const logins = async () => {
      upstream.forget();
      expect((await app.get(latest, [...docker20, alice])).status).toBe(401);
      return upstream.carried.filter((value) => value === alice[1]).length;
    };
    expect([await logins(), await logins()]).toEqual([2, 1]);
    app.advance(301);
    expect([await logins(), await logins()]).toEqual([2, 1]);
  });
});
