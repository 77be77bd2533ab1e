import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import {
  type Asked,
  give,
  goodLogin,
  type HostileUpstream,
  jsonAnswer,
  startHostileUpstream,
} from '../support/faults/hostile-upstream.ts';
import { targets } from '../support/faults/targets.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-http.ts';

let upstream: HostileUpstream;
/** A server that is not configured as an upstream. */
let canary: HostileUpstream;
let proxy: RunningProxy;

beforeAll(async () => {
  [upstream, canary] = await Promise.all([startHostileUpstream(), startHostileUpstream()]);
});

beforeEach(async () => {
  upstream.recover();
  await proxy?.stop();
  proxy = await startProxy(upstream.url);
});

afterAll(() => Promise.all([proxy.stop(), upstream.stop(), canary.stop()]));

const sinceThen = () => {
  const before = canary.asked.length;
  return () => canary.asked.slice(before);
};

/** Sends the text of a request. @returns the response, once it has begun. */
async function say(text: string): Promise<string> {
  const socket = connect(proxy.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(text.replaceAll('CANARY', canary.host).replaceAll('\n', '\r\n'));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([expect.poll(() => heard, { timeout: 5_000 }).toMatch(/^HTTP\/1\.1 \d/), ended]);
  socket.destroy();
  return heard;
}

describe('a client cannot make the proxy send a request to another server', () => {
  it.each([
    ['by an absolute target', 'GET http://CANARY/v2/sample/oci/manifests/latest HTTP/1.1\nHost: CANARY\n\n'],
    ['by CONNECT', 'CONNECT CANARY HTTP/1.1\nHost: CANARY\n\n'],
    ['by Host', 'GET /v2/sample/oci/manifests/latest HTTP/1.1\nHost: CANARY\n\n'],
    ['by two hosts', 'GET /v2/sample/oci/tags/list HTTP/1.1\nHost: a\nHost: CANARY\n\n'],
    [
      'by X-Forwarded-Host',
      'GET /v2/sample/oci/tags/list HTTP/1.1\nHost: a\nX-Forwarded-Host: CANARY\nX-Forwarded-Proto: http\n\n',
    ],
    ['by ns', 'GET /v2/sample/oci/manifests/latest?ns=CANARY HTTP/1.1\nHost: a\n\n'],
    ['by a name', 'GET /v2/CANARY/sample/oci/manifests/latest HTTP/1.1\nHost: a\n\n'],
    ['by a name with an at', 'GET /v2/@CANARY/manifests/latest HTTP/1.1\nHost: a\n\n'],
    ['by two slashes', 'GET //CANARY/v2/sample/oci/manifests/latest HTTP/1.1\nHost: a\n\n'],
    ['by dot segments in the path', 'GET /v2/a/%2e%2e/%2e%2e/@CANARY/manifests/latest HTTP/1.1\nHost: a\n\n'],
    ['by a page', 'GET /v2/sample/oci/tags/list?last=http://CANARY/ HTTP/1.1\nHost: a\n\n'],
    [
      'by a realm',
      'GET /token?realm=http://CANARY/token&service=CANARY&scope=repository:a:pull HTTP/1.1\nHost: a\n\n',
    ],
    [
      'by the name of a mount',
      'POST /v2/a/b/blobs/uploads/?mount=sha256:0&from=http://CANARY/a HTTP/1.1\nHost: a\nContent-Length: 0\n\n',
    ],
    [
      'by the name of an upload',
      'PATCH /v2/a/b/blobs/uploads/http:%2f%2fCANARY%2f HTTP/1.1\nHost: a\nContent-Length: 1\n\nx',
    ],
    [
      'by a forged upload location',
      'PATCH /v2/a/b/blobs/uploads/elsewhere.http://CANARY/ HTTP/1.1\nHost: a\nContent-Length: 1\n\nx',
    ],
    ['by API v1', 'GET /v1/repositories/CANARY/a/images HTTP/1.1\nHost: a\nX-Docker-Endpoints: CANARY\n\n'],
    [
      'by Referer, Origin, Forwarded',
      'GET /v2/ HTTP/1.1\nHost: a\nReferer: http://CANARY/\nOrigin: http://CANARY\nForwarded: host=CANARY\n\n',
    ],
  ])('%s', async (_, text) => {
    const seen = sinceThen();
    await say(text);
    expect(seen()).toEqual([]);
    expect(canary.connections()).toBe(0);
  });
});

describe('an upstream cannot make the proxy reveal a login', () => {
  const headers = [...manifestRequestHeaders['Docker 1.9.1'], ['Authorization', goodLogin] as const];
  const get = (path: string) => rawRequest({ port: proxy.port, method: 'GET', path, headers });
  const redirect = ({ request, response }: Asked) =>
    response.writeHead(307, { location: `${canary.url}${request.url}` }).end();

  it.each(Object.entries(targets).filter(([, { wants }]) => wants === 'nothing'))(
    'by a redirect of %s',
    async (_, { path, isMeant }) => {
      const seen = sinceThen();
      upstream.misbehave(redirect, isMeant);
      await get(path);
      expect(seen().length).toBeGreaterThan(0);
      expect(seen().map(({ authorization }) => authorization)).toEqual(seen().map(() => undefined));
    },
  );

  it('by a redirect to a server with a challenge, whose realm gets no request either', async () => {
    const seen = sinceThen();
    upstream.misbehave(redirect, targets['a blob'].isMeant);
    canary.misbehave(
      ({ response }) => {
        const challenge = { 'www-authenticate': `Bearer realm="${canary.url}/token",service="x"` };
        give(response, jsonAnswer(401, {}, challenge), false);
      },
      ({ path }) => path.includes('/blobs/'),
    );
    expect((await get(targets['a blob'].path)).status).toBe(502);
    canary.recover();
    expect(seen().map(({ path }) => path)).toEqual([targets['a blob'].path]);
  });

  it('by a redirect of a push', async () => {
    const seen = sinceThen();
    upstream.misbehave(redirect, ({ method }) => method !== 'GET');
    for (const [method, path] of [
      ['POST', '/v2/a/b/blobs/uploads/'],
      ['PATCH', '/v2/a/b/blobs/uploads/x'],
      ['PUT', '/v2/a/b/manifests/x'],
      ['DELETE', '/v2/a/b/manifests/x'],
    ] as const) {
      const body = new TextEncoder().encode('{}');
      const lines = [...headers, ['Content-Length', '2'] as const];
      const { status } = await rawRequest({ port: proxy.port, method, path, headers: lines, body });
      expect([method, status]).toEqual([method, 502]);
    }
    expect(seen()).toEqual([]);
  });

  it('by the location of an upload, which gets no login', async () => {
    const seen = sinceThen();
    upstream.misbehave(
      ({ response }) =>
        response.writeHead(202, { location: `${canary.url}/upload?signature=x`, 'content-length': 0 }).end(),
      ({ method }) => method === 'POST',
    );
    const port = proxy.port;
    const lines = [...headers, ['Content-Length', '0'] as const];
    const begun = await rawRequest({ port, method: 'POST', path: '/v2/a/b/blobs/uploads/', headers: lines });
    const { pathname, search } = new URL(begun.header('Location') ?? '');
    const body = new TextEncoder().encode('x');
    const going = { port, method: 'PATCH', headers: [...headers, ['Content-Length', '1'] as const], body };
    await rawRequest({ ...going, path: `${pathname}${search}` });
    expect(seen().map(({ method, authorization }) => [method, authorization])).toEqual([
      ['PATCH', undefined],
    ]);
    // A location of another repository, and one with a changed letter.
    const other = await rawRequest({ ...going, path: pathname.replace('/a/b/', '/a/c/') });
    const forged = await rawRequest({
      ...going,
      path: pathname.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    });
    expect([other.status, forged.status]).toEqual([404, 404]);
    expect(seen()).toHaveLength(1);
  });

  it.each([
    [
      'the next page',
      (good: Asked['good']) => ({
        ...good,
        headers: { ...good.headers, link: `<${canary.url}/v2/x/tags/list?n=1>; rel="next"` },
      }),
    ],
    ['an address in a manifest', (good: Asked['good']) => withForeignLayers(good)],
  ])('or send a request to another server by %s', async (_, change) => {
    const seen = sinceThen();
    upstream.misbehave(
      ({ response, good, request }) => give(response, change(good), request.method === 'HEAD'),
      ({ path }) => /\/tags\/|\/manifests\//.test(path),
    );
    for (const path of ['/v2/sample/oci/tags/list', '/v2/sample/oci/manifests/latest']) {
      const response = await get(path);
      expect(response.status).not.toBe(500);
      expect(response.header('Link') ?? '').not.toContain(canary.host);
    }
    expect(seen()).toEqual([]);
  });
});

/** The manifest with layers whose URLs lead to the canary. */
function withForeignLayers(good: Asked['good']): Asked['good'] {
  const manifest = JSON.parse(new TextDecoder().decode(good.body)) as { layers?: object[] };
  const foreign = (layer: object) => ({
    ...layer,
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    urls: [`${canary.url}/layer`],
  });
  const layers = manifest.layers?.map(foreign);
  const body = new TextEncoder().encode(
    JSON.stringify({ ...manifest, mediaType: mediaTypes.ociManifest, layers }),
  );
  return { ...good, headers: { ...good.headers, 'docker-content-digest': digestOf(body) }, body };
}
