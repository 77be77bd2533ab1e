import { expect, it } from 'vitest';
import type { ClientRequest } from '../../../../src/registry/client-request.ts';
import { platformFor } from '../../../../src/registry/manifests/client-platform.ts';

const route = { os: 'linux', architecture: 'arm', variant: 'v6' };
const arm = { os: 'linux', architecture: 'arm' };
const s390x = { os: 'linux', architecture: 's390x' };

function platformOf(named: object | undefined, applied?: object) {
  const request = { client: { platform: named }, ...(applied && { applied }) };
  return platformFor({ platform: route }, request as ClientRequest);
}

it.each([
  ['of the rule for the client', arm, { rule: { platform: s390x } }, s390x],
  ['of the User-Agent, if no rule matches the client', s390x, {}, s390x],
  ['of the User-Agent, if the rule names none', s390x, { rule: {} }, s390x],
  ['of the User-Agent, if there are no rules', s390x, undefined, s390x],
  ['of the route with its variant, if the User-Agent names the same architecture', arm, undefined, route],
  [
    'of the User-Agent, if its system is another one',
    { ...arm, os: 'windows' },
    undefined,
    { ...arm, os: 'windows' },
  ],
  ['of the route, if the client names none', undefined, {}, route],
])('the platform is that %s', (_, named, applied, platform) => {
  expect(platformOf(named, applied)).toEqual(platform);
});
