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
