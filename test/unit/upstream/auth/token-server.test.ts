import { expect, it } from 'vitest';
import { requestToken } from '../../../../src/upstream/auth/token-server.ts';
import { startServer } from '../local-server.ts';

it("ends a token's body that takes too long with a timeout, not as one cut short", async () => {
  const { url } = await startServer((_, response) => response.writeHead(200).write('{'));
  const options = {
    fetch: (to: string, init: RequestInit) => fetch(to, init),
    userAgent: 'x',
    deadlineMs: 50,
  };
  const request = { realm: url.href, service: undefined, scopes: [], credential: { kind: 'none' } as const };
  for (const [isFixed, end] of [
    [false, 'REGSHIFT_UPSTREAM_TIMEOUT sets the limit.'],
    [true, 'and try again.'],
  ] as const) {
    await expect(requestToken({ ...options, isFixed, upstream: url }, request)).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: expect.stringMatching(new RegExp(`${end}$`)),
    });
  }
});
