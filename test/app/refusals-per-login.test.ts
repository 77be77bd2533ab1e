import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;

/** Anyone may resolve the tag; Alice may not get the manifest behind it, as after a rate limit or an expired token. */
function refusingAlice(status: number): Script {
  return (request, { pathname }) => {
    const whose = request.headers.get('authorization');
    const free = request.method === 'HEAD' || pathname === '/v2/';
    if (free || whose !== alice[1]) return undefined;
    return specError(status, 'AS_SCRIPTED', { 'Retry-After': '60' });
  };
}

describe('a refusal of upstream for one login', () => {
  it.each([401, 403, 404, 429, 500])(
    '%i does not reach another login that sends the same request at the same time',
    async (status) => {
      for (const order of [
        [alice, bob],
        [bob, alice],
      ]) {
        const app = testApp({}, scriptedUpstream(refusingAlice(status)).fetch);
        const responses = await Promise.all(order.map((login) => app.get(latest, [...docker19, login])));
        const of = (login: readonly string[]) =>
          responses[order.indexOf(login as (typeof order)[number])]?.status;
        expect(of(bob)).toBe(200);
        // Bob's pull has cached the manifest; Alice may get it, because upstream resolved the tag for her.
        expect([200, status]).toContain(of(alice));
      }
    },
  );

  it('reaches all concurrent requests with the same login, after one request to upstream', async () => {
    const upstream = scriptedUpstream(refusingAlice(429));
    const app = testApp({}, upstream.fetch);
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => app.get(latest, [...docker19, alice])),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([429]));
    expect(upstream.asked.filter((each) => each.startsWith('GET'))).toHaveLength(1);
  });
});

describe('a 401 of upstream', () => {
  it.each([
    ['none', [], 'It wants a login: log in at this proxy with a name and a password of the registry.'],
    ['one', [alice], 'It refuses the login of this request, or this login may not read there.'],
  ] as const)('to a request with the login %s says what to do', async (_, login, advice) => {
    const upstream = scriptedUpstream(
      () => new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="registry"' } }),
    );
    const response = await testApp({}, upstream.fetch).get(latest, [...docker19, ...login]);
    expect(response.status).toBe(401);
    expect(response.error().message).toBe(
      `Upstream answered 401 for the manifest latest of sample/oci. ${advice}`,
    );
  });
});
