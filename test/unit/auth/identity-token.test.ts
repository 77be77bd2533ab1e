import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { type Credential, credentialKey } from '../../../src/upstream/auth/credential.ts';
import { createUpstreamClient } from '../../../src/upstream/client.ts';
import { testMemory } from '../../support/memory.ts';
import {
  answer,
  challenge,
  type Handler,
  type LocalServer,
  startRegistry,
  startServer,
} from '../upstream/local-server.ts';

const identity: Credential = { kind: 'identity', token: 're/fresh+&' };

interface Posted {
  readonly type: string | undefined;
  readonly form: Record<string, string>;
}

/** A token server of OAuth 2 (distribution, "OAuth2 token"), and the bodies posted to it. */
async function startOauthServer(respond: Handler): Promise<LocalServer & { readonly posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = await startServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const form = Object.fromEntries(new URLSearchParams(body));
    posted.push({ type: request.headers['content-type'], form });
    respond(request, response);
  });
  return { ...server, posted };
}

function clientOf(registry: LocalServer, clock = () => 0) {
  return createUpstreamClient({
    baseUrl: registry.url,
    fetch: (url, init) => fetch(url, init),
    userAgent: 'regshift/test',
    clock,
    wallClock: () => new Date(clock()),
    allowAnonymousTokens: true,
    background: () => undefined,
    memory: testMemory(),
  });
}

function ask(registry: LocalServer, client = clientOf(registry)) {
  return client.request({
    method: 'GET',
    path: '/v2/a/b/manifests/latest',
    repository: 'a/b' as RepositoryName,
    credential: identity,
  });
}

describe('an identity token', () => {
  it('is exchanged by POST for an access token, and is in no URL and no Authorization', async () => {
    const tokens = await startOauthServer((_, response) =>
      answer(
        response,
        200,
        JSON.stringify({ access_token: 'access', expires_in: 300, refresh_token: 'next' }),
      ),
    );
    const registry = await startRegistry(
      () => 'Bearer access',
      () => `Bearer realm="${tokens.url.href}oauth2/token",service="s"`,
    );
    const { response, anonymous } = await ask(registry);
    expect([response.status, anonymous]).toEqual([200, false]);
    expect(tokens.log).toEqual(['POST /oauth2/token -']);
    expect(tokens.posted).toEqual([
      {
        type: 'application/x-www-form-urlencoded',
        form: {
          grant_type: 'refresh_token',
          refresh_token: 're/fresh+&',
          client_id: 'regshift',
          service: 's',
          scope: 'repository:a/b:pull',
        },
      },
    ]);
    expect(registry.log.at(-1)).toBe('GET /v2/a/b/manifests/latest Bearer access');
  });

  describe('that a token server replaces', () => {
    /** Accepts each identity token once, as servers that rotate them do, and from `until` on none that it issued. */
    async function rotating(until = Number.POSITIVE_INFINITY) {
      let good = 're/fresh+&';
      let count = 0;
      const tokens = await startOauthServer((_, response) => {
        const shown = tokens.posted.at(-1)?.form.refresh_token ?? '';
        if (shown !== good && shown !== 're/fresh+&') return answer(response, 401);
        count += 1;
        good = count < until ? `next-${count}` : 'nobody knows';
        answer(response, 200, JSON.stringify({ access_token: 'access', refresh_token: `next-${count}` }));
      });
      const registry = await startRegistry(
        () => 'Bearer access',
        () => `Bearer realm="${tokens.url.href}token"`,
      );
      const time = { now: 0 };
      const client = clientOf(registry, () => time.now);
      const statuses: number[] = [];
      for (let times = 0; times < 3; times += 1) {
        statuses.push((await ask(registry, client)).response.status);
        time.now += 60_000;
      }
      return { statuses, shown: tokens.posted.map(({ form }) => form.refresh_token) };
    }

    it('is the newest one (RFC 6749, section 6)', async () => {
      const { statuses, shown } = await rotating();
      expect(statuses).toEqual([200, 200, 200]);
      expect(shown).toEqual(['re/fresh+&', 'next-1', 'next-2']);
    });

    it('is the configured one again if the newest is refused', async () => {
      const { statuses, shown } = await rotating(2);
      expect(statuses).toEqual([200, 200, 200]);
      expect(shown).toEqual(['re/fresh+&', 'next-1', 'next-2', 're/fresh+&']);
    });
  });

  it('that is refused causes an error that does not quote it', async () => {
    const tokens = await startOauthServer((_, response) => answer(response, 401));
    const registry = await startRegistry(
      () => 'Bearer access',
      () => `Bearer realm="${tokens.url.href}token"`,
    );
    const error = await ask(registry).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('identity token') });
    expect(String(error)).not.toContain('fresh');
  });

  it('is not sent if upstream requires Basic', async () => {
    const registry = await startServer((_, response) => challenge(response, 'Basic realm="r"'));
    const { response } = await ask(registry);
    expect(response.status).toBe(401);
    expect(registry.log).toEqual(['GET /v2/a/b/manifests/latest -']);
  });

  it('has a key of its own in caches', () => {
    const others: Credential[] = [
      { kind: 'identity', token: 'other' },
      { kind: 'client', authorization: 're/fresh+&' },
      { kind: 'service', username: '', password: 're/fresh+&' },
    ];
    const keys = [identity, ...others].map(credentialKey);
    expect(new Set(keys).size).toBe(4);
    expect(credentialKey({ ...identity })).toBe(keys[0]);
  });
});
