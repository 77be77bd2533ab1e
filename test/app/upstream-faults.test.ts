import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/schema2/manifests/latest';

/** Replaces the body of upstream's response to the matching requests. */
function instead(isMeant: (request: Request, url: URL) => boolean, body: string | Uint8Array): Script {
  return (request, url) => {
    if (!isMeant(request, url)) return undefined;
    return new Response(body.slice(), { headers: { 'Content-Type': mediaTypes.schema2 } });
  };
}

const manifestGet = (request: Request, url: URL) =>
  request.method === 'GET' && url.pathname.includes('/manifests/');
const blobGet = (_request: Request, url: URL) => url.pathname.includes('/blobs/');

interface Fault {
  readonly fault: string;
  readonly script: Script;
  readonly status: number;
  readonly code: string;
  readonly message: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
}

const html = '<html><body>Maintenance</body></html>';
const htmlAnswer = () => new Response(html, { headers: { 'Content-Type': 'text/html' } });

const faults: readonly Fault[] = [
  {
    fault: 'a manifest that is not what its digest says',
    script: instead(manifestGet, '{"schemaVersion":2,"config":{},"layers":[]}'),
    status: 502,
    code: 'MANIFEST_INVALID',
    message: /not what its digest says.*Found sha256:[0-9a-f]{64} \(43 bytes\)\. Expected sha256:/,
  },
  {
    fault: 'garbage for a manifest',
    script: instead(manifestGet, '\u0000\u0001\u0002'),
    status: 502,
    code: 'MANIFEST_INVALID',
    message: /not what its digest says/,
  },
  {
    fault: 'another config',
    script: instead(blobGet, '{"architecture":"amd64","os":"linux"}'),
    status: 502,
    code: 'MANIFEST_INVALID',
    message: /blob is not what its digest says/,
  },
  {
    fault: 'HTML with 200 for everything',
    script: htmlAnswer,
    status: 502,
    code: 'UNKNOWN',
    message: /web page \(text\/html\)/,
  },
  {
    fault: '500',
    script: () => specError(500, 'UNKNOWN', {}, 'out of disk'),
    status: 500,
    code: 'UNKNOWN',
    message: /Upstream answered 500 for the manifest latest of sample\/schema2/,
  },
  {
    fault: '503 with HTML',
    script: () => new Response(html, { status: 503, headers: { 'Content-Type': 'text/html' } }),
    status: 503,
    code: 'UNKNOWN',
    message: /Upstream answered 503/,
  },
  {
    fault: '429 with Retry-After',
    script: () => specError(429, 'TOOMANYREQUESTS', { 'Retry-After': '17' }),
    status: 429,
    code: 'TOOMANYREQUESTS',
    message: /Upstream answered 429/,
    headers: { 'Retry-After': '17' },
  },
  {
    fault: '401 with a challenge that only a login can meet',
    script: () => specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="Registry"' }),
    status: 401,
    code: 'UNAUTHORIZED',
    message: /Upstream answered 401/,
    headers: { 'WWW-Authenticate': 'Basic realm="Registry"' },
  },
  {
    fault: '403',
    script: () => specError(403, 'DENIED'),
    status: 403,
    code: 'DENIED',
    message: /Upstream answered 403/,
  },
  {
    fault: 'no connection',
    script: () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
    },
    status: 502,
    code: 'UNKNOWN',
    message: /HEAD to registry\.test failed \(ECONNREFUSED: nothing listens there/,
  },
  {
    fault: 'a redirect without end',
    script: () => new Response(null, { status: 307, headers: { Location: latest } }),
    status: 502,
    code: 'UNKNOWN',
    message: /5 redirects and redirects once more/,
  },
  {
    fault: 'a manifest without end',
    script: instead(manifestGet, new Uint8Array(4 * 1024 * 1024 + 1)),
    status: 502,
    code: 'MANIFEST_INVALID',
    message: /at most 4194304 bytes are read/,
  },
  {
    fault: 'a manifest that ends early',
    script: (request, url) => {
      if (!manifestGet(request, url)) return undefined;
      const body = new ReadableStream({
        pull: (controller) => controller.error(new TypeError('terminated')),
      });
      return new Response(body);
    },
    status: 502,
    code: 'UNKNOWN',
    message: /broke off before the manifest was complete/,
  },
];

describe.each(faults)('upstream responds with $fault', (each) => {
  it(`the client gets ${each.status} ${each.code}`, async () => {
    const upstream = scriptedUpstream(each.script);
    const response = await testApp({}, upstream.fetch).get(latest, docker19);
    expect([response.status, response.error().code]).toEqual([each.status, each.code]);
    expect(response.error().message).toMatch(each.message);
    for (const [name, value] of Object.entries(each.headers ?? {})) expect(response.header(name)).toBe(value);
  });

  it.each(['GET', 'HEAD'])('and the next %s succeeds: nothing of the fault is cached', async (method) => {
    const upstream = scriptedUpstream(each.script);
    const app = testApp({}, upstream.fetch);
    await app.get(latest, docker19);
    upstream.follow();
    const response = await app.send(method, latest, docker19);
    expect(response.status).toBe(200);
    const healthy = await testApp().get(latest, docker19);
    expect(response.header('Docker-Content-Digest')).toBe(healthy.header('Docker-Content-Digest'));
  });
});

describe('a manifest is never converted', () => {
  it('from a child that does not match its index', async () => {
    const script: Script = (request, url) =>
      manifestGet(request, url) && !url.pathname.endsWith('latest')
        ? new Response('{"schemaVersion":2}', { headers: { 'Content-Type': mediaTypes.ociManifest } })
        : undefined;
    const upstream = scriptedUpstream(script);
    const app = testApp({}, upstream.fetch);
    const response = await app.get('/v2/sample/index/manifests/latest', docker19);
    expect([response.status, response.error().code]).toEqual([502, 'MANIFEST_INVALID']);
    upstream.follow();
    expect((await app.get('/v2/sample/index/manifests/latest', docker19)).status).toBe(200);
  });

  it('from a list with broken children, not even without them', async () => {
    const index = scriptedUpstream();
    const rootOnly: string[] = [];
    index.follow((request, url) => {
      if (!manifestGet(request, url)) return undefined;
      if (rootOnly.length === 0) rootOnly.push(url.pathname);
      return url.pathname === rootOnly[0] ? undefined : new Response('broken');
    });
    const app = testApp({}, index.fetch);
    const headers = manifestRequestHeaders['Docker 1.13.1'];
    const response = await app.get('/v2/sample/index/manifests/latest', headers);
    expect([response.status, response.error().code]).toEqual([502, 'MANIFEST_INVALID']);
  });
});

it('a message of upstream is shortened, and loses its control characters', async () => {
  const message = `\u001b[31m${'x'.repeat(1000)}`;
  const upstream = scriptedUpstream(() => specError(403, 'DENIED', {}, message));
  const response = await testApp({}, upstream.fetch).get(latest, docker19);
  expect(response.error().message).not.toContain('\u001b');
  expect(response.error().message.length).toBeLessThan(400);
});

it('a blob is refused with the same errors', async () => {
  const path = `/v2/sample/schema2/blobs/sha256:${'1'.repeat(64)}`;
  for (const { script, status, code } of faults.filter(({ status: each }) => each !== 502)) {
    const response = await testApp({}, scriptedUpstream(script).fetch).get(path);
    expect([response.status, response.error().code]).toEqual([status, code]);
  }
});

describe('a connection that upstream closes before its response', () => {
  const cut = () => {
    throw Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    });
  };

  it('is opened again once: a kept-alive connection may end just when it is used', async () => {
    let asked = 0;
    const upstream = scriptedUpstream(() => {
      asked += 1;
      return asked % 2 === 1 ? cut() : undefined;
    });
    expect((await testApp({}, upstream.fetch).get(latest, docker19)).status).toBe(200);
  });

  it('twice is an error', async () => {
    const upstream = scriptedUpstream(cut);
    const response = await testApp({}, upstream.fetch).get(latest, docker19);
    expect([response.status, response.error().message]).toEqual([502, expect.stringContaining('ECONNRESET')]);
    expect(upstream.asked).toHaveLength(2);
  });
});

describe('a manifest whose connection breaks off', () => {
  /** Breaks off the first `times` bodies of manifests. */
  function breaking(times: number, path: RegExp, headers: Record<string, string> = {}): Script {
    let left = times;
    return (request, url) => {
      if (!manifestGet(request, url) || !path.test(url.pathname) || left === 0) return undefined;
      left -= 1;
      const body = new ReadableStream({
        pull: (controller) => controller.error(new TypeError('terminated')),
      });
      return new Response(body, { headers: { 'Content-Type': mediaTypes.schema2, ...headers } });
    };
  }
  const gets = (asked: readonly string[]) => asked.filter((each) => /^GET .*\/manifests\//.test(each));

  it.each(['GET', 'HEAD'])('once is requested once more, for %s', async (method) => {
    const { asked, fetch } = scriptedUpstream(breaking(1, /./));
    const response = await testApp({}, fetch).send(method, latest, docker19);
    const healthy = await testApp().get(latest, docker19);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([
      200,
      healthy.header('Docker-Content-Digest'),
    ]);
    expect(gets(asked)).toHaveLength(2);
  });

  it('twice is an error', async () => {
    const { asked, fetch } = scriptedUpstream(breaking(9, /./));
    expect((await testApp({}, fetch).get(latest, docker19)).status).toBe(502);
    expect(gets(asked)).toHaveLength(2);
  });

  it('is an error where its digest has changed meanwhile, as of a tag that moves', async () => {
    const other = { 'Docker-Content-Digest': `sha256:${'1'.repeat(64)}` };
    const script = breaking(1, /./, other);
    const { fetch } = scriptedUpstream((request, url) =>
      request.method === 'HEAD' ? new Response(null, { status: 405 }) : script(request, url),
    );
    const response = await testApp({}, fetch).get(latest, docker19);
    expect([response.status, response.error().message]).toEqual([
      502,
      expect.stringContaining('broke off before the manifest was complete'),
    ]);
  });
});

it('an error may not be cached', async () => {
  const response = await testApp({}, scriptedUpstream().fetch).get(
    '/v2/sample/nothing/manifests/latest',
    docker19,
  );
  expect(response.status).toBe(404);
  expect([response.header('Cache-Control'), response.header('Vary')]).toEqual([
    'no-store',
    'Accept, Authorization, User-Agent',
  ]);
});
