import { describe, expect, it } from 'vitest';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const nextOf = (response: Answer) => /^<([^>]+)>; rel="next"$/.exec(response.header('Link') ?? '')?.[1];

/** Follows the links from the first page. @returns the entries of each page. */
async function pages<Field extends string>(app: TestApp, first: string, field: Field): Promise<string[][]> {
  const found: string[][] = [];
  for (let next: string | undefined = first; next !== undefined && found.length < 20; ) {
    const response: Answer = await app.get(next);
    expect(response.status).toBe(200);
    found.push((JSON.parse(response.text()) as Record<Field, string[]>)[field]);
    next = nextOf(response);
  }
  return found;
}

/** A list in pages, like that of distribution: `n` entries after `last`. */
function paged(
  path: string,
  field: string,
  names: readonly string[],
  more: object = {},
  usual = 100,
): Script {
  return (_request, url) => {
    if (url.pathname !== path) return undefined;
    const last = url.searchParams.get('last') ?? '';
    const n = Number(url.searchParams.get('n') ?? usual);
    const after = names.filter((name) => name > last);
    const page = after.slice(0, n);
    const query = new URLSearchParams({ n: String(n), last: page.at(-1) ?? '' });
    const headers: Record<string, string> =
      after.length > n ? { Link: `<http://internal.test${path}?${query}>; rel="next"` } : {};
    return Response.json({ ...more, [field]: page }, { headers });
  };
}

describe('the tags of a repository', () => {
  const tags = ['1.0', '1.1', '1.2', 'latest', 'sha256-0123'];
  const script = paged('/v2/team/app/tags/list', 'tags', tags, { name: 'team/app' });

  it('come page by page, under the name that the client uses', async () => {
    const app = testApp({ REGSHIFT_ALIASES: 'short=team/app' }, scriptedUpstream(script).fetch);
    expect(await pages(app, '/v2/short/tags/list?n=2', 'tags')).toEqual([
      ['1.0', '1.1'],
      ['1.2', 'latest'],
      ['sha256-0123'],
    ]);
    expect(JSON.parse((await app.get('/v2/short/tags/list?n=1&last=1.1')).text())).toEqual({
      name: 'short',
      tags: ['1.2'],
    });
    expect(nextOf(await app.get('/v2/short/tags/list?n=1'))).toBe('/v2/short/tags/list?n=1&last=1.0');
  });

  it('follow the page parameters of upstream', async () => {
    const app = testApp(
      {},
      scriptedUpstream((_request, url) => {
        const second = url.searchParams.get('next_page') === 'opaque';
        return Response.json(
          { tags: second ? ['b'] : ['a'] },
          second ? {} : { headers: { Link: '</v2/team/app/tags/list?next_page=opaque&n=1>; rel="next"' } },
        );
      }).fetch,
    );
    expect(await pages(app, '/v2/team/app/tags/list?n=1', 'tags')).toEqual([['a'], ['b']]);
  });

  it('come on one page for Docker before 1.12, which reads one page only', async () => {
    const many = Array.from({ length: 25_000 }, (_, n) => `v${String(n).padStart(5, '0')}`);
    const script = paged('/v2/team/app/tags/list', 'tags', many, {}, 1_000);
    const app = testApp({}, scriptedUpstream(script).fetch);
    const old = await app.get('/v2/team/app/tags/list', manifestRequestHeaders['Docker 1.9.1']);
    expect([old.header('Link'), JSON.parse(old.text())]).toEqual([null, { name: 'team/app', tags: many }]);
    const newer = await app.get('/v2/team/app/tags/list', manifestRequestHeaders['Docker 1.13.1']);
    expect(newer.header('Link')).not.toBeNull();
  });

  it('are refused with upstream’s message when upstream refuses the page parameters', async () => {
    const upstream = scriptedUpstream(() => specError(400, 'PAGINATION_NUMBER_INVALID'));
    const response = await testApp({}, upstream.fetch).get('/v2/team/app/tags/list?n=-1');
    expect([response.status, response.error().code]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
  });

  it('are refused with a reason when a gateway refuses them by a page', async () => {
    const headers = { 'content-type': 'text/html' };
    const upstream = scriptedUpstream(() => new Response('<html></html>', { status: 400, headers }));
    const response = await testApp({}, upstream.fetch).get('/v2/team/app/tags/list?n=x');
    expect([response.status, response.error().message]).toEqual([
      502,
      'Upstream answered 400 for the tags of team/app.',
    ]);
  });
});

it('pages that lead in a circle are read once each', async () => {
  const pages: Record<string, [tag: string, next: string]> = {
    '': ['a', '?last=b'],
    '?last=b': ['b', '?last=c'],
    '?last=c': ['c', '?last=b'],
  };
  const upstream = scriptedUpstream((_, { search }) => {
    const [tag, next] = pages[search] ?? ['', ''];
    const headers = { Link: `</v2/team/app/tags/list${next}>; rel="next"` };
    return Response.json({ name: 'team/app', tags: [tag] }, { headers });
  });
  const answer = await testApp({}, upstream.fetch).get(
    '/v2/team/app/tags/list',
    manifestRequestHeaders['Docker 1.9.1'],
  );
  expect([JSON.parse(answer.text()).tags, upstream.asked.length]).toEqual([['a', 'b', 'c'], 3]);
});

describe('100,000 tags of 128 characters on one page', () => {
  const tags = Array.from({ length: 100_000 }, (_, index) => `v${index}`.padEnd(128, 'x'));
  const path = '/v2/team/app/tags/list';
  const whole = JSON.stringify({ name: 'team/app', tags });
  const response = (body: string) =>
    new Response(body, {
      headers: { 'Content-Type': 'application/json', Link: `<${path}?last=z>; rel="next"` },
    });

  it('reach the client as they are, with the link to the next page', async () => {
    const app = testApp({}, scriptedUpstream(() => response(whole)).fetch);
    const answer = await app.get(path);
    expect([answer.status, answer.text() === whole, nextOf(answer)]).toEqual([200, true, `${path}?last=z`]);
    expect((await app.head(path)).status).toBe(200);
  });

  it('break off where the registry breaks off, so that no client takes them for all', async () => {
    const app = testApp({}, scriptedUpstream(() => response(whole.slice(0, 10_000_000))).fetch);
    await expect(app.get(path)).rejects.toThrow();
    const early = testApp({}, scriptedUpstream(() => response(whole.slice(0, 1_000_000))).fetch);
    expect((await early.get(path)).status).toBe(502);
  });
});

describe('100,000 repositories on one page', () => {
  it('are listed, without those that the route does not serve', async () => {
    const repositories = Array.from({ length: 100_000 }, (_, index) =>
      `team${index % 10}/app-with-a-name-of-some-length-${index}`.padEnd(100, 'x'),
    );
    const upstream = scriptedUpstream(() => Response.json({ repositories }));
    const app = testApp({ REGSHIFT_REPOSITORIES: 'team1/*' }, upstream.fetch);
    const answer = await app.get('/v2/_catalog');
    expect(JSON.parse(answer.text()).repositories).toEqual(
      repositories.filter((each) => each.startsWith('team1/')),
    );
  });
});

describe('the list of repositories', () => {
  const all = [
    'group/sub/app',
    'library/busybox',
    'secret/a',
    'secret/b',
    'secret/c',
    'team/app',
    'team/base',
    'zone/z',
  ];
  const script = paged('/v2/_catalog', 'repositories', all);

  it('has the served repositories, page by page', async () => {
    const app = testApp({ REGSHIFT_REPOSITORIES: 'team/*,library/*' }, scriptedUpstream(script).fetch);
    const found = await pages(app, '/v2/_catalog?n=1', 'repositories');
    expect(found.flat()).toEqual(['library/busybox', 'team/app', 'team/base']);
    expect(await pages(app, '/v2/_catalog', 'repositories')).toEqual([
      ['library/busybox', 'team/app', 'team/base'],
    ]);
    const links = [await app.get('/v2/_catalog?n=3'), await app.get('/v2/_catalog?n=4')].map((each) =>
      each.header('Link'),
    );
    expect(links.join()).not.toContain('secret');
  });

  it('names no hidden repository, however many are in a row', async () => {
    const hidden = Array.from({ length: 25_000 }, (_, index) => `secret/${String(index).padStart(5, '0')}`);
    const list = paged('/v2/_catalog', 'repositories', [...hidden, 'zone/z']);
    const app = testApp({ REGSHIFT_REPOSITORIES: 'zone/*' }, scriptedUpstream(list).fetch);
    const links: string[] = [];
    let found: string[] = [];
    for (let next: string | undefined = '/v2/_catalog?n=2'; next !== undefined && links.length < 9; ) {
      const page = await app.get(next);
      found = JSON.parse(page.text()).repositories;
      next = nextOf(page);
      if (next) links.push(next);
    }
    expect([found, links.length, links.join().includes('secret')]).toEqual([['zone/z'], 2, false]);
    expect(links.every((link) => new URLSearchParams(link.split('?')[1]).get('n') === '2')).toBe(true);
    const foreign = await app.get('/v2/_catalog?after=eyJhbGciOiJkaXIifQ..a.b.c');
    expect([foreign.status, foreign.error().code]).toEqual([400, 'NAME_INVALID']);
  });

  it('has all served repositories where upstream continues by a place of its own', async () => {
    const listed = [['open/a', 'open/b', 'secret/x'], ['open/c'], ['open/d', 'open/e', 'open/f']];
    const upstream = scriptedUpstream((_, { searchParams }) => {
      const at = Number(searchParams.get('next_page') ?? 0);
      const link = `</v2/_catalog?next_page=${at + 1}>; rel="next"`;
      const headers: Record<string, string> = at + 1 < listed.length ? { Link: link } : {};
      return Response.json({ repositories: listed[at] }, { headers });
    });
    const app = testApp({ REGSHIFT_REPOSITORIES: 'open/*' }, upstream.fetch);
    const found = await pages(app, '/v2/_catalog?n=1', 'repositories');
    expect(found.flat()).toEqual(['open/a', 'open/b', 'open/c', 'open/d', 'open/e', 'open/f']);
  });

  it('does not show by the ends of its pages where hidden repositories are', async () => {
    const names = ['open/a', 'open/b', 'open/c', 'secret/x'];
    const pagesOver = async (hidden: readonly string[]) => {
      const list = paged('/v2/_catalog', 'repositories', [...names, ...hidden].toSorted());
      const app = testApp({ REGSHIFT_REPOSITORIES: 'open/*' }, scriptedUpstream(list).fetch);
      return Promise.all(
        ['n=1', 'n=2', 'n=2&last=a', 'n=2&last=open/a', 'n=3', 'last=open/b'].map(async (query) => {
          const page = await app.get(`/v2/_catalog?${query}`);
          return [page.text(), nextOf(page)];
        }),
      );
    };
    const without = await pagesOver([]);
    expect(await pagesOver(['hidden/a', 'hidden/b', 'open-b'])).toEqual(without);
  });

  it.each(['', 'n=x', 'n=0', 'n=-1', 'n=300'])(
    'tells nothing of hidden repositories by where its pages end, in a list of many pages: %s',
    async (length) => {
      const numbered = (count: number, name: string) =>
        Array.from({ length: count }, (_, at) => `${name}${String(at).padStart(4, '0')}`);
      const open = [...numbered(1_300, 'open/a'), ...numbered(300, 'open/z')];
      const pagesOver = async (hidden: readonly string[]) => {
        // Distribution up to 2.7 takes its own length for one that is no number.
        const list = paged('/v2/_catalog', 'repositories', [...open, ...hidden].toSorted());
        const upstream = scriptedUpstream((request, url) => {
          if (!(Number(url.searchParams.get('n') ?? 1) > 0)) url.searchParams.delete('n');
          return list(request, url);
        });
        const app = testApp({ REGSHIFT_REPOSITORIES: 'open/*' }, upstream.fetch);
        const places = ['', 'open/a1000', 'open/a1298x', 'open/m', 'open/x0400', 'open/x0600', 'open/z'];
        return Promise.all(
          places.map(async (last) => {
            const page = await app.get(`/v2/_catalog?${length}${last && `&last=${last}`}`);
            return [last, page.text(), nextOf(page)];
          }),
        );
      };
      const hidden = [...numbered(40, 'hidden/'), ...numbered(900, 'open/x/'), ...numbered(900, 'secret/')];
      expect(await pagesOver(hidden)).toEqual(await pagesOver([]));
    },
  );

  it.each([
    ['', 1_000],
    ['?n=999', 1_000],
    ['?n=1000', 1_000],
    ['?n=1500', 1_500],
  ])('reads each page of upstream once where all on it are served: %s', async (query, asked) => {
    const names = Array.from({ length: 3_000 }, (_, at) => `open/a${String(at).padStart(4, '0')}`);
    const upstream = scriptedUpstream(paged('/v2/_catalog', 'repositories', names));
    const app = testApp({ REGSHIFT_REPOSITORIES: 'open/*' }, upstream.fetch);
    const found = await app.get(`/v2/_catalog${query}`);
    expect([JSON.parse(found.text()).repositories, upstream.asked]).toEqual([
      names.slice(0, asked - 1),
      [`GET /v2/_catalog?n=${asked}`],
    ]);
    expect((await pages(app, `/v2/_catalog${query}`, 'repositories')).flat()).toEqual(names);
    expect(upstream.asked).toHaveLength(1 + Math.ceil(names.length / (asked - 1)));
  });

  it('keeps no more than two of the longest pages, whatever a client asks for', async () => {
    let pages = 0;
    const upstream = scriptedUpstream((_request, url) => {
      if (url.pathname !== '/v2/_catalog') return undefined;
      pages += 1;
      const repositories = Array.from({ length: 120_000 }, (_, at) => `open/p${pages}n${at}`);
      const headers = { Link: `</v2/_catalog?last=${repositories.at(-1)}>; rel="next"` };
      return Response.json({ repositories }, { headers });
    });
    const app = testApp({ REGSHIFT_REPOSITORIES: 'open/*' }, upstream.fetch);
    const response = await app.get('/v2/_catalog?n=1000000000');
    expect([JSON.parse(response.text()).repositories.length, pages]).toEqual([199_999, 2]);
  });

  it('does not tell the length of a hidden name by the length of a link', async () => {
    const lengthOver = async (name: string) => {
      const hidden = Array.from({ length: 11_000 }, (_, at) => `${name}${String(at).padStart(5, '0')}`);
      const list = paged('/v2/_catalog', 'repositories', [...hidden, 'zone/z']);
      const app = testApp({ REGSHIFT_REPOSITORIES: 'zone/*' }, scriptedUpstream(list).fetch);
      const first = await app.get('/v2/_catalog');
      expect(JSON.parse((await app.get(nextOf(first) ?? '')).text())).toEqual({ repositories: ['zone/z'] });
      return nextOf(first)?.length;
    };
    expect(await lengthOver('secret/a-name-of-some-length/')).toBe(await lengthOver('secret/'));
  });

  it('has the names that clients use, and accepts them as `last`', async () => {
    const app = testApp({ REGSHIFT_ALIASES: 'short=group/sub/app' }, scriptedUpstream(script).fetch);
    expect(await pages(app, '/v2/_catalog?n=2', 'repositories')).toContainEqual(['short', 'library/busybox']);
    expect(JSON.parse((await app.get('/v2/_catalog?n=1&last=short')).text())).toEqual({
      repositories: ['library/busybox'],
    });
  });

  it('lists the routes of a host one after the other, with their prefixes', async () => {
    const routes = [
      { match: { path: 'a/' }, upstream: 'http://a.test' },
      { match: { path: 'none/' }, upstream: 'http://none.test' },
      { match: { path: 'b/' }, upstream: 'http://b.test' },
    ];
    const lists: Record<string, Script> = {
      'a.test': paged('/v2/_catalog', 'repositories', ['one', 'three', 'two']),
      'b.test': paged('/v2/_catalog', 'repositories', ['four/five', 'six']),
    };
    const upstream = scriptedUpstream(
      (request, url) => lists[url.host]?.(request, url) ?? specError(404, 'UNSUPPORTED'),
    );
    const config = JSON.stringify({ upstreamAuth: 'anonymous', routes });
    const app = testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, upstream.fetch);
    const all = ['a/one', 'a/three', 'a/two', 'b/four/five', 'b/six'];
    for (const first of ['/v2/_catalog', '/v2/_catalog?n=1', '/v2/_catalog?n=2']) {
      expect((await pages(app, first, 'repositories')).flat()).toEqual(all);
    }
    const after = await pages(app, '/v2/_catalog?n=1&last=a/three', 'repositories');
    expect(after.flat()).toEqual(['a/two', 'b/four/five', 'b/six']);
  });

  it('names each repository once, under the route that serves the name', async () => {
    const routes = [
      { upstream: 'http://a.test' },
      { match: { path: 'quay/' }, upstream: 'http://b.test' },
      { match: { alias: { tool: 'deep/tool' } }, upstream: 'http://c.test' },
    ];
    const names: Record<string, string[]> = {
      'a.test': ['quay/hidden', 'quay/x', 'team/app', 'tool', 'zone/z'],
      'b.test': ['x', 'y'],
      'c.test': ['deep/tool', 'other'],
    };
    const upstream = scriptedUpstream((request, url) =>
      paged('/v2/_catalog', 'repositories', names[url.host] ?? [])(request, url),
    );
    const config = JSON.stringify({ upstreamAuth: 'anonymous', routes });
    const app = testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, upstream.fetch);
    const all = ['quay/x', 'quay/y', 'tool', 'team/app', 'zone/z'];
    for (const first of ['/v2/_catalog', '/v2/_catalog?n=1', '/v2/_catalog?n=2'])
      expect((await pages(app, first, 'repositories')).flat()).toEqual(all);
    const byLast: string[] = [];
    for (let last = ''; byLast.length < 9; last = byLast.at(-1) ?? '') {
      const page: Answer = await app.get(`/v2/_catalog?n=1${last && `&last=${last}`}`);
      const [name]: string[] = JSON.parse(page.text()).repositories;
      if (name === undefined) break;
      byLast.push(name);
    }
    expect(byLast).toEqual(all);
    const { results } = JSON.parse((await app.get('/v1/search')).text()) as { results: { name: string }[] };
    expect(results.map(({ name }) => name)).toEqual(all);
  });

  it('leaves out a name that a longer path of the same route has', async () => {
    const list = paged('/v2/_catalog', 'repositories', ['b/x', 'y']);
    const routes = [{ match: { path: ['a/', 'a/b/'] }, upstream: 'http://a.test' }];
    const config = JSON.stringify({ upstreamAuth: 'anonymous', routes });
    const app = testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, scriptedUpstream(list).fetch);
    // `a/b/x` is the repository `x`.
    expect(await pages(app, '/v2/_catalog', 'repositories')).toEqual([['a/y']]);
  });

  const challenge = { 'WWW-Authenticate': 'Bearer realm="https://auth.test/"' };

  /** Two routes, of which the first is like Docker Hub: 401 for the list with every token. */
  function withClosed(upstreamAuth: string, closed: string) {
    const routes = [
      { match: { path: 'hub/' }, upstream: closed },
      { match: { path: 'own/' }, upstream: 'http://own.test' },
    ];
    const list = paged('/v2/_catalog', 'repositories', ['one']);
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'of no use' });
      const isClosed = url.host !== 'own.test' || upstreamAuth === 'passthrough';
      return isClosed ? specError(401, 'UNAUTHORIZED', challenge) : list(request, url);
    });
    const config = JSON.stringify({ upstreamAuth, routes });
    return testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, upstream.fetch);
  }

  it('skips a route whose registry lists nothing to the login of the proxy', async () => {
    const app = withClosed('anonymous', 'http://hub.test');
    expect(await pages(app, '/v2/_catalog', 'repositories')).toEqual([['own/one']]);
  });

  it('wants the login of the client where the registry wants it, from several routes, too', async () => {
    const response = await withClosed('passthrough', 'http://own.test').get('/v2/_catalog');
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([401, expect.any(String)]);
  });

  it('lists the one route of a path, whatever the names of its repositories', async () => {
    const script = paged('/v2/_catalog', 'repositories', ['app1', 'team/app1', 'zz']);
    const routes = [{ match: { path: 'team/' }, upstream: 'http://a.test' }];
    const config = JSON.stringify({ upstreamAuth: 'anonymous', routes });
    const app = testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, scriptedUpstream(script).fetch);
    const all = await pages(app, '/v2/_catalog?n=1', 'repositories');
    expect(all.flat()).toEqual(['team/app1', 'team/team/app1', 'team/zz']);
  });

  it('is the same by HEAD', async () => {
    const app = testApp({}, scriptedUpstream(script).fetch);
    const [head, get] = [await app.head('/v2/_catalog?n=2'), await app.get('/v2/_catalog?n=2')];
    expect([[...head.headers], head.body.length]).toEqual([[...get.headers], 0]);
  });

  it.each([403, 404, 405])('is %i when upstream refuses it so', async (status) => {
    const upstream = scriptedUpstream(() => specError(status, 'UNSUPPORTED'));
    const response = await testApp({}, upstream.fetch).get('/v2/_catalog');
    expect([response.status, response.error()]).toEqual([
      status,
      { code: 'UNSUPPORTED', message: 'as scripted' },
    ]);
  });

  it.each([404, 502])('is %i with a reason when a gateway refuses it by a page', async (status) => {
    const page = '<html><body>Maintenance</body></html>';
    const headers = { 'content-type': 'text/html' };
    const upstream = scriptedUpstream(() => new Response(page, { status, headers }));
    const response = await testApp({}, upstream.fetch).get('/v2/_catalog');
    expect([response.status, response.error().message]).toEqual([
      status,
      `Upstream answered ${status} for the list of repositories.`,
    ]);
  });

  it('is 504 when the body of a refusal stands still', async () => {
    const headers = { 'content-type': 'application/json' };
    const standing = () =>
      new Response(new ReadableStream({ pull: () => undefined }), { status: 404, headers });
    const upstream = scriptedUpstream(standing);
    const app = testApp({ REGSHIFT_UPSTREAM_TIMEOUT: '1' }, upstream.fetch);
    const response = await app.get('/v2/_catalog');
    expect([response.status, response.error().message]).toEqual([
      504,
      expect.stringContaining('the refusal of the list of repositories'),
    ]);
  });

  it('uses a token with the scope of the catalog', async () => {
    const upstream = scriptedUpstream((request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 'good' });
      if (request.headers.get('authorization') === 'Bearer good') return script(request, url);
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="https://auth.test/"' });
    });
    const response = await testApp({}, upstream.fetch).get('/v2/_catalog', { Authorization: 'Basic YTpi' });
    expect(response.status).toBe(200);
    expect(upstream.asked[1]).toBe('GET https://auth.test/?scope=registry%3Acatalog%3A*');
  });
});

describe('the referrers of a manifest', () => {
  const path = `/v2/team/app/referrers/${digest}`;
  const index = '{"schemaVersion":2, "manifests":[]}';
  const headers = {
    'Content-Type': 'application/vnd.oci.image.index.v1+json',
    'OCI-Filters-Applied': 'artifactType',
    Link: `<http://internal.test${path}?artifactType=x&page=2>; rel="next"`,
  };

  it('are passed on with upstream’s filter, and a link to the proxy', async () => {
    const upstream = scriptedUpstream(() => new Response(index, { headers }));
    const app = testApp({ REGSHIFT_ALIASES: 'short=team/app' }, upstream.fetch);
    const response = await app.get(`/v2/short/referrers/${digest}?artifactType=x&ns=registry.test`);
    expect(upstream.asked).toEqual([`GET ${path}?artifactType=x`]);
    expect([response.status, response.text()]).toEqual([200, index]);
    expect(response.header('Content-Type')).toBe(headers['Content-Type']);
    expect(response.header('OCI-Filters-Applied')).toBe('artifactType');
    expect(nextOf(response)).toBe(`/v2/short/referrers/${digest}?artifactType=x&page=2`);
  });

  it('are 404 when upstream does not support them: clients then use the referrers tag', async () => {
    const upstream = scriptedUpstream(() => new Response('404 page not found\n', { status: 404 }));
    const response = await testApp({}, upstream.fetch).get(path);
    expect([response.status, response.text()]).toEqual([404, '404 page not found\n']);
  });

  it('are refused with a Content-Encoding that was not requested, like all other lists', async () => {
    const encoded = { ...headers, 'Content-Encoding': 'gzip' };
    const upstream = scriptedUpstream(() => new Response('\x1f\x8b', { headers: encoded }));
    const app = testApp({}, upstream.fetch);
    const response = await app.get(path);
    expect([response.status, (await app.head(path)).status]).toEqual([502, 502]);
    expect(response.error().message).toContain('the referrers of team/app with Content-Encoding "gzip"');
  });

  it('are requested with the login of the client', async () => {
    const upstream = scriptedUpstream(() =>
      specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="r"' }),
    );
    const response = await testApp({}, upstream.fetch).get(path, { Authorization: 'Basic YTpi' });
    expect([response.status, response.header('WWW-Authenticate'), upstream.carried]).toEqual([
      401,
      'Basic realm="r"',
      ['Basic YTpi'],
    ]);
  });
});

it('the body of upstream’s response to HEAD for a list is cancelled, so that it holds no connection', async () => {
  const cancelled: string[] = [];
  const upstream = scriptedUpstream((_request, { pathname }) => {
    if (!/\/(?:_catalog|tags\/list)$/.test(pathname)) return undefined;
    const body = new ReadableStream({ cancel: () => void cancelled.push(pathname) });
    return new Response(body, { status: 400, headers: { 'Content-Type': 'application/json' } });
  });
  const app = testApp({}, upstream.fetch);
  for (const path of ['/v2/_catalog', '/v2/team/app/tags/list']) await app.head(path);
  await expect.poll(() => cancelled).toEqual(['/v2/_catalog', '/v2/team/app/tags/list']);
});

describe('below a path of REGSHIFT_PUBLIC_URL', () => {
  it.each([
    ['/v2/_catalog', { repositories: ['team/app'] }],
    ['/v2/team/app/tags/list', { name: 'team/app', tags: ['1.0'] }],
    [
      `/v2/team/app/referrers/${digest}`,
      { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] },
    ],
  ])('the link of %s leads to the next page there', async (path, page) => {
    const upstream = scriptedUpstream(() =>
      Response.json(page, { headers: { Link: `<${path}?last=z>; rel="next"` } }),
    );
    for (const [address, below] of [
      ['https://images.test/below/', '/below'],
      ['https://images.test', ''],
    ] as const) {
      const app = testApp({ REGSHIFT_PUBLIC_URL: address }, upstream.fetch);
      expect(nextOf(await app.get(path))).toBe(`${below}${path}?last=z`);
    }
  });
});
