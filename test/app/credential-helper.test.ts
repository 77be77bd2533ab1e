import { describe, expect, it } from 'vitest';
import type { HelperAnswer } from '../../src/auth/credential-helper.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const basic = (secret: string) => `Basic ${btoa(`robot:${secret}`)}`;

function appWith(script: Script) {
  const upstream = scriptedUpstream(script);
  const helper = { answer: { username: 'robot', secret: 'one' } as HelperAnswer, asked: [] as unknown[] };
  const app = testApp(
    {
      REGSHIFT_TAG_TTL: '0',
      REGSHIFT_CLIENT_AUTH: 'none',
      REGSHIFT_UPSTREAM_AUTH: 'docker-config',
      REGSHIFT_DOCKER_CONFIG: JSON.stringify({ credHelpers: { [new URL(upstreamUrl).host]: 'test' } }),
    },
    upstream.fetch,
    {
      askHelper: async (question) => {
        helper.asked.push(question);
        return helper.answer;
      },
    },
  );
  return { app, upstream, helper };
}

describe('a login of a credential helper', () => {
  it('is used for upstream, and requested once', async () => {
    const { app, helper } = appWith(privateTo(basic('one')));
    for (let times = 0; times < 3; times += 1) expect((await app.get(latest, docker19)).status).toBe(200);
    expect(helper.asked).toEqual([{ program: 'docker-credential-test', server: new URL(upstreamUrl).host }]);
  });

  it('is requested again when upstream refuses the old one, without an error for the client', async () => {
    const { app, upstream, helper } = appWith(privateTo(basic('one')));
    await app.get(latest, docker19);
    upstream.follow(privateTo(basic('two')));
    helper.answer = { username: 'robot', secret: 'two' };
    app.advance(60);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(helper.asked).toHaveLength(2);
  });

  it('that upstream refuses causes no challenge to clients, and is in no log and no message', async () => {
    const { app, helper } = appWith(privateTo(basic('hunter2')));
    const response = await app.get(latest, docker19);
    expect([response.status, response.error().code]).toEqual([403, 'DENIED']);
    expect(response.header('WWW-Authenticate')).toBeNull();
    expect(helper.asked).toHaveLength(1);
    expect(JSON.stringify(app.logged) + response.text()).not.toMatch(/one"|cm9ib3Q6b25l/);
  });

  it('is requested again when a token server refuses it', async () => {
    const tokens =
      (secret: string): Script =>
      (request, url) => {
        const authorization = request.headers.get('authorization');
        if (url.host === 'auth.test') {
          return authorization === basic(secret)
            ? Response.json({ token: `for-${secret}`, expires_in: 60 })
            : specError(401, 'UNAUTHORIZED');
        }
        if (authorization === `Bearer for-${secret}`) return undefined;
        return specError(401, 'UNAUTHORIZED', {
          'WWW-Authenticate': 'Bearer realm="https://auth.test/token"',
        });
      };
    const { app, upstream, helper } = appWith(tokens('one'));
    expect((await app.get(latest, docker19)).status).toBe(200);
    upstream.follow(tokens('two'));
    helper.answer = { username: 'robot', secret: 'two' };
    app.advance(60);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(helper.asked).toHaveLength(2);
  });

  it('may be an identity token', async () => {
    const { app, helper } = appWith(async (request, url) => {
      if (url.host === 'auth.test') {
        const form = new URLSearchParams(await request.text());
        const known = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === 'refresh';
        return known ? Response.json({ access_token: 'access' }) : specError(401, 'UNAUTHORIZED');
      }
      if (request.headers.get('authorization') === 'Bearer access') return undefined;
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="https://auth.test/token"' });
    });
    helper.answer = { username: '<token>', secret: 'refresh' };
    expect((await app.get(latest, docker19)).status).toBe(200);
  });
});
