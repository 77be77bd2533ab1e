import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createUpstreamClient } from '../../../src/upstream/client.ts';
import { type Credential, credentialKey } from '../../../src/upstream/credential.ts';
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

/** A token server of OAuth 2 (distribution, "OAuth2 token"), and what was posted to it. */
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

function ask(registry: LocalServer) {
  const client = createUpstreamClient({
    baseUrl: registry.url,
    fetch: (url, init) => fetch(url, init),
    userAgent: 'regshift/test',
    clock: () => 0,
    allowAnonymousTokens: true,
    background: () => undefined,
  });
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

  it('that is refused says so, without the token', async () => {
    const tokens = await startOauthServer((_, response) => answer(response, 401));
    const registry = await startRegistry(
      () => 'Bearer access',
      () => `Bearer realm="${tokens.url.href}token"`,
    );
    const error = await ask(registry).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('identity token') });
    expect(String(error)).not.toContain('fresh');
  });

  it('is of no use where Basic is wanted: nothing is sent', async () => {
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
