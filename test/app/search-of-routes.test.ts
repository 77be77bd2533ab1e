import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

/** A host with many routes, each to a registry with 10,000 repositories on ten pages. */
function manyRoutes(count: number, script: Script = page) {
  const routes = Array.from({ length: count }, (_, at) => ({
    match: { path: `p${at}/` },
    upstream: `http://r${at}.test`,
  }));
  const upstream = scriptedUpstream(script);
  const config = JSON.stringify({ upstreamAuth: 'anonymous', routes });
  const app = testApp({ REGSHIFT_CONFIG: config, REGSHIFT_UPSTREAM: '' }, upstream.fetch);
  const search = async (query: string, signal?: AbortSignal) => {
    const response = await app.send('GET', `/v1/search?${query}`, {}, signal ? { signal } : {});
    const { results } = JSON.parse(response.text()) as { results?: { name: string }[] };
    return results?.map(({ name }) => name);
  };
  return { app, search, upstream };
}

const page: Script = (_, { searchParams }) => {
  const number = Number(searchParams.get('last') ?? 0);
  const repositories = Array.from({ length: 1000 }, (_, at) => `n${number}/a${at}`);
  const link = `</v2/_catalog?n=1000&last=${number + 1}>; rel="next"`;
  return Response.json({ repositories }, { headers: number < 9 ? { Link: link } : {} });
};

describe('a search of a host with many routes', () => {
  it('reads no more of the lists than it needs', async () => {
    const { search, upstream } = manyRoutes(40);
    expect(await search('q=A99&n=12')).toEqual(
      ['99', ...Array.from({ length: 10 }, (_, at) => `99${at}`)]
        .map((end) => `p0/n0/a${end}`)
        .concat('p0/n1/a99'),
    );
    expect(upstream.asked.length).toBeLessThanOrEqual(32);
  });

  it('reads a few lists at a time, and has the results in the order of the routes', async () => {
    let [open, most] = [0, 0];
    const { search } = manyRoutes(40, async (_, { host }) => {
      open += 1;
      most = Math.max(most, open);
      // Later routes answer first.
      await new Promise((done) => setTimeout(done, Math.max(0, 40 - Number(/\d+/.exec(host)?.[0]))));
      open -= 1;
      return host === 'r7.test' ? specError(503, 'UNAVAILABLE') : Response.json({ repositories: ['x'] });
    });
    const all = Array.from({ length: 40 }, (_, at) => `p${at}/x`).filter((name) => name !== 'p7/x');
    expect(await search('q=x&n=100')).toEqual(all);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('has the error of the first route where no list can be read', async () => {
    const { app } = manyRoutes(40, (_, { host }) => specError(host === 'r0.test' ? 429 : 503, 'DENIED'));
    expect((await app.get('/v1/search?q=x')).status).toBe(429);
  });

  it('ends when the client leaves', async () => {
    const leaving = new AbortController();
    const { search, upstream } = manyRoutes(40, () => {
      leaving.abort();
      return Response.json({ repositories: ['x'] });
    });
    await search('q=none', leaving.signal).catch(() => undefined);
    expect(upstream.asked.length).toBeLessThanOrEqual(16);
  });
});
