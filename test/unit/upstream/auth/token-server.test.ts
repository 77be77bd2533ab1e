import { expect, it } from 'vitest';
import { requestToken } from '../../../../src/upstream/auth/token-server.ts';
import { answer, startServer } from '../local-server.ts';

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

const client = { kind: 'client', authorization: `Basic ${btoa('alice:of alice')}` } as const;
const json = { 'content-type': 'application/json' };
const ofRegistry = JSON.stringify({ errors: [{ code: 'DENIED', message: 'a second factor is needed.' }] });

it.each<[what: string, status: number, body: string, message: string]>([
  ['a registry', 403, ofRegistry, '(it answered 403: DENIED, a second factor is needed).'],
  ['Docker Hub', 401, '{"details":"incorrect password"}', '(it answered 401: incorrect password).'],
  ['OAuth 2', 400, '{"error":"invalid_scope"}', 'with 400, where 200 was expected: invalid_scope.'],
  [
    'OAuth 2 with a description',
    400,
    '{"error":"x","error_description":"no such scope"}',
    'expected: no such scope.',
  ],
  ['a limit', 429, '{"details":"too many failed logins"}', 'limits requests: too many failed logins. Try'],
  ['a text of control characters', 401, '{"details":"a\\u001b[31mb"}', '(it answered 401: a [31mb).'],
  ['no text', 401, '{"details":{},"errors":[]}', '(it answered 401).'],
  ['a page', 401, '<html>', '(it answered 401).'],
  ['a text that quotes the password', 401, '{"details":"wrong: of alice"}', '(it answered 401).'],
])('tells the reason of a refusal in the form of %s', async (_what, status, body, message) => {
  const { url } = await startServer((_, response) => answer(response, status, body, json));
  const options = { fetch: (to: string, init: RequestInit) => fetch(to, init), userAgent: 'x' };
  const request = { realm: url.href, service: undefined, scopes: [], credential: client };
  await expect(requestToken({ ...options, deadlineMs: 5_000, upstream: url }, request)).rejects.toMatchObject(
    { message: expect.stringContaining(message) },
  );
});
