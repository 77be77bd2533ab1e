import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const search = '/v2/_zot/ext/search?query=%7BImageList%7D';
const referrers = '/v2/team/app/_oras/artifacts/referrers';

/** An upstream whose extensions answer with the path and the query that they were asked with. */
function extended(settings: Record<string, string> = {}) {
  const upstream = scriptedUpstream((_request, { pathname, search }) =>
    pathname.includes('/_')
      ? Response.json(
          { asked: `${pathname}${search}` },
          {
            headers: {
              'ORAS-Api-Version': 'oras/1.0',
              'Set-Cookie': 'session=1',
              Link: `<http://internal.test${pathname}?next=2>; rel="next"`,
            },
          },
        )
      : undefined,
  );
  return { app: testApp(settings, upstream.fetch), asked: upstream.asked };
}

describe('an extension of the registry', () => {
  it('answers as it does without the proxy', async () => {
    const { app } = extended();
    const answer = await app.get(search, { Authorization: 'Basic YTpi' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text())).toEqual({ asked: search });
    expect(answer.header('Cache-Control')).toBe('private, no-transform');
    expect(answer.header('Set-Cookie')).toBeNull();
    expect(answer.header('Link')).toBe('</v2/_zot/ext/search?next=2>; rel="next"');
  });

  it('is asked by HEAD for a HEAD', async () => {
    const { app } = extended();
    const answer = await app.send('HEAD', search);
    expect(answer.status).toBe(200);
    expect(answer.text()).toBe('');
  });

  it.each(['POST', 'PUT', 'DELETE'])('takes no %s', async (method) => {
    const { app, asked } = extended({ REGSHIFT_PUSH: 'allow' });
    const answer = await app.send(method, search);
    expect([answer.status, answer.header('Allow')]).toEqual([405, 'GET, HEAD']);
    expect(asked).toEqual([]);
  });

  it('is not there where some repositories alone are served: its answer is about all', async () => {
    const { app, asked } = extended({ REGSHIFT_REPOSITORIES: 'team/*' });
    const answer = await app.get(search);
    expect([answer.status, answer.error().message]).toEqual([404, expect.stringContaining('nothing at')]);
    expect(asked).toEqual([]);
  });

  it('is there beside aliases: the own names of the registry work, too', async () => {
    const { app } = extended({ REGSHIFT_ALIASES: 'short=team/app' });
    expect((await app.get(search)).status).toBe(200);
  });
});

describe('an extension of a repository', () => {
  it('answers as it does without the proxy, under the name that the client uses', async () => {
    const { app } = extended({ REGSHIFT_ALIASES: 'short=team/app' });
    const answer = await app.get('/v2/short/_oras/artifacts/referrers?digest=a&artifactType=b&ns=c');
    expect(JSON.parse(answer.text())).toEqual({ asked: `${referrers}?digest=a&artifactType=b` });
    expect(answer.header('ORAS-Api-Version')).toBe('oras/1.0');
    expect(answer.header('Link')).toBe('</v2/short/_oras/artifacts/referrers?next=2>; rel="next"');
  });

  it('is not there for a repository that is not served', async () => {
    const { app, asked } = extended({ REGSHIFT_REPOSITORIES: 'other/*' });
    expect((await app.get(referrers)).status).toBe(404);
    expect(asked).toEqual([]);
  });

  it.each([400, 403, 404, 500])('refuses with %i in the words of the registry', async (status) => {
    const upstream = scriptedUpstream(() => specError(status, 'UNSUPPORTED'));
    const answer = await testApp({}, upstream.fetch).get(referrers);
    expect([answer.status, answer.error().code]).toEqual([status, 'UNSUPPORTED']);
  });

  it('asks for the login that the registry wants', async () => {
    const upstream = scriptedUpstream(
      () => new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="r"' } }),
    );
    const answer = await testApp({}, upstream.fetch).get(referrers);
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="r"']);
  });
});
