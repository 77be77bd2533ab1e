import { describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { largeIndex } from '../support/large-index.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const unknown = `/v2/team/app/manifests/sha256:${'a'.repeat(64)}`;
const latest = '/v2/team/app/manifests/latest';

const over = (script: Script, variables: Record<string, string> = {}) => {
  const upstream = scriptedUpstream(script);
  return { upstream, app: testApp(variables, upstream.fetch) };
};

/** A repository with many tags, none of which this process has cached. */
const tags = (count: number) =>
  manyTags(
    'team/app',
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`v${n}`, 'sample/schema2'])),
  );

async function refusal(app: TestApp, path: string) {
  const response = await app.get(path, docker113);
  return [response.status, response.error().code, response.error().message] as const;
}

const message = expect.stringMatching(/more than 30 requests.*REGSHIFT_SUBREQUESTS.*REGSHIFT_LISTS=one/);

describe('the limit of requests to upstream per client request (REGSHIFT_SUBREQUESTS)', () => {
  it('ends the conversion of an index with a clear error', async () => {
    const { app, upstream } = over(largeIndex('team/app', 60), { REGSHIFT_SUBREQUESTS: '30' });
    expect(await refusal(app, latest)).toEqual([404, 'UNSUPPORTED', message]);
    expect(upstream.asked).toHaveLength(30);
  });

  it('ends the search for a digest', async () => {
    const { app, upstream } = over(tags(100), { REGSHIFT_SUBREQUESTS: '30' });
    expect(await refusal(app, unknown)).toEqual([404, 'UNSUPPORTED', message]);
    expect(upstream.asked).toHaveLength(30);
  });

  it('counts redirects, refusals and tokens too', async () => {
    const script: Script = (request, url) => {
      if (url.host === 'auth.test') return Response.json({ token: 't' });
      if (request.headers.get('authorization') === null && !url.searchParams.has('hop')) {
        const challenge = 'Bearer realm="http://auth.test/token",service="registry.test"';
        return new Response(null, { status: 401, headers: { 'WWW-Authenticate': challenge } });
      }
      if (url.searchParams.has('hop')) return largeIndex('team/app', 60)(request, url);
      return new Response(null, { status: 307, headers: { Location: `${url.href}?hop=1` } });
    };
    const { app, upstream } = over(script, { REGSHIFT_SUBREQUESTS: '30' });
    expect(await refusal(app, latest)).toEqual([404, 'UNSUPPORTED', message]);
    expect(upstream.asked).toHaveLength(30);
  });

  it('suffices when it equals the need, and applies to each request by itself', async () => {
    const counted = over(largeIndex('team/app', 30));
    expect((await counted.app.get(latest, docker113)).status).toBe(200);
    const needed = counted.upstream.asked.length;
    expect(needed).toBe(32);

    const enough = over(largeIndex('team/app', 30), { REGSHIFT_SUBREQUESTS: String(needed) });
    expect((await enough.app.get(latest, docker113)).status).toBe(200);
    const scarce = over(largeIndex('team/app', 30), { REGSHIFT_SUBREQUESTS: String(needed - 1) });
    expect((await scarce.app.get(latest, docker113)).status).toBe(404);
    // The fetched manifests are cached, so that a second pull succeeds.
    expect((await scarce.app.get(latest, docker113)).status).toBe(200);
  });

  it('suffices for one image of an index that is too large', async () => {
    const variables = { REGSHIFT_SUBREQUESTS: '20', REGSHIFT_LISTS: 'one' };
    const { app } = over(largeIndex('team/app', 60), variables);
    expect((await app.get(latest, docker113)).status).toBe(200);
    expect((await over(largeIndex('team/app', 60), variables).app.get(latest, docker19)).status).toBe(200);
  });

  it('does not exist on Node by default', async () => {
    const { app } = over(largeIndex('team/app', 600));
    expect((await app.get(latest, docker113)).status).toBe(200);
  });
});
