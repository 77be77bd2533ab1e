import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;

/** Registries answer 404 for what a login may not see: here for each blob, to Alice alone. */
const withoutBlobsForAlice: Script = (request, { pathname }) => {
  const isMeant = pathname.includes('/blobs/') && request.headers.get('authorization') === alice[1];
  return isMeant ? specError(404, 'BLOB_UNKNOWN', {}, 'nothing for alice') : undefined;
};

it.each([
  [alice, bob],
  [bob, alice],
])(
  'what upstream does not have for one login is not missing for another that asks at the same time',
  async (...order) => {
    const app = testApp({}, scriptedUpstream(withoutBlobsForAlice).fetch);
    const answers = await Promise.all(order.map((login) => app.get(latest, [...docker19, login])));
    const ofBob = answers[order.indexOf(bob)];
    expect(ofBob?.text()).not.toContain('alice');
    expect(ofBob?.status).toBe(200);
  },
);
