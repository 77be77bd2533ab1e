import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../../../src/errors.ts';
import { createRefreshTokens } from '../../../../src/upstream/auth/refresh-tokens.ts';
import type { TokenRequest } from '../../../../src/upstream/auth/token-request.ts';
import { testMemory } from '../../../support/memory.ts';
import { settled } from '../../../support/settled.ts';

const request: TokenRequest = {
  realm: 'https://auth.test/token',
  service: 'registry.test',
  scopes: ['repository:a:pull'],
  credential: { kind: 'identity', token: 'T0' },
};

/** A token server that takes each identity token once, and sends the next one with the access token. */
function rotatingServer(valid = 'T0') {
  const server = {
    valid,
    seen: [] as string[],
    async send({ credential }: TokenRequest) {
      const token = credential.kind === 'identity' ? credential.token : '';
      server.seen.push(token);
      await settled();
      if (token !== server.valid) throw new RegistryError('UNAUTHORIZED', 'unknown token');
      server.valid = `T${Number(token.slice(1)) + 1}`;
      return { value: `access by ${token}`, expiresIn: 60, issuedAt: undefined, identity: server.valid };
    },
  };
  return server;
}

describe('an identity token that the server replaces at each use', () => {
  it('is used in its newest form', async () => {
    const server = rotatingServer();
    const tokens = createRefreshTokens(testMemory());
    for (let use = 0; use < 3; use += 1) await tokens.withNewest(request, server.send);
    expect(server.seen).toEqual(['T0', 'T1', 'T2']);
  });

  it('serves requests at the same moment, and those after them', async () => {
    const server = rotatingServer();
    const tokens = createRefreshTokens(testMemory());
    const ask = () => tokens.withNewest(request, server.send).then(({ value }) => value);
    expect(new Set(await Promise.all([ask(), ask(), ask()]))).toEqual(
      new Set(['access by T0', 'access by T1', 'access by T2']),
    );
    expect(await Promise.all([ask(), ask()])).toEqual(['access by T3', 'access by T4']);
    expect(await ask()).toBe('access by T5');
  });

  it('gives way to the configured one where the server refuses it', async () => {
    const server = rotatingServer();
    const tokens = createRefreshTokens(testMemory());
    await tokens.withNewest(request, server.send);
    server.valid = 'T0';
    expect((await tokens.withNewest(request, server.send)).value).toBe('access by T0');
    expect(server.seen).toEqual(['T0', 'T1', 'T0']);
  });

  it('is refused where the server takes neither', async () => {
    const server = rotatingServer('T9');
    const refused = createRefreshTokens(testMemory()).withNewest(request, server.send);
    await expect(refused).rejects.toThrow('unknown token');
    expect(server.seen).toEqual(['T0']);
  });
});
