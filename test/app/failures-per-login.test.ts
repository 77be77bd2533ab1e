import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;
const orders = [
  [alice, bob],
  [bob, alice],
];

/** Gets Bob's response to a request that Alice sends at the same time, and his response when he is alone. */
async function forBob(
  path: string,
  client: typeof docker113,
  script: Script,
  order: (typeof orders)[number],
) {
  const app = testApp({}, scriptedUpstream(script).fetch);
  const responses = await Promise.all(order.map((login) => app.get(path, [...client, login])));
  const alone = await testApp({}, scriptedUpstream(script).fetch).get(path, [...client, bob]);
  expect(alone.status).toBe(200);
  return { bob: responses[order.indexOf(bob)], alone };
}

const isAlice = (request: Request) => request.headers.get('authorization') === alice[1];
const notFound = () => specError(404, 'BLOB_UNKNOWN', {}, 'nothing for alice');

/** Registries respond 404 for content that a login may not see: here for each blob, to Alice alone. */
const withoutBlobs: Script = (request, { pathname }) =>
  isAlice(request) && pathname.includes('/blobs/') ? notFound() : undefined;

/** Upstream refuses Alice only the first blob that she requests. */
function withoutSomeBlobs(): Script {
  let asked = 0;
  return (request, url) => {
    const missing = withoutBlobs(request, url);
    if (missing) asked += 1;
    return asked > 1 ? undefined : missing;
  };
}

const cutOff: Script = (request, { pathname }) => {
  if (isAlice(request) && pathname.includes('/blobs/')) throw new TypeError('fetch failed');
  return undefined;
};

describe('a failure for one login does not affect another login that sends the same request at the same time', () => {
  it.each(orders)('a config is missing upstream', async (...order) => {
    const responses = await forBob('/v2/sample/oci/manifests/latest', docker19, withoutBlobs, order);
    expect(responses.bob?.text()).not.toContain('alice');
    expect(responses.bob?.status).toBe(200);
  });

  it.each(orders)('all images of an index are missing upstream', async (...order) => {
    const responses = await forBob('/v2/sample/index-zstd/manifests/latest', docker113, withoutBlobs, order);
    expect(responses.bob?.text()).not.toContain('alice');
    expect(responses.bob?.text()).toBe(responses.alone.text());
  });

  it.each(orders)('some images of an index are missing upstream', async (...order) => {
    const path = '/v2/sample/index-zstd/manifests/latest';
    const responses = await forBob(path, docker113, withoutSomeBlobs(), order);
    expect(responses.bob?.text()).toBe(responses.alone.text());
  });

  it.each(orders)('the connection to upstream is cut', async (...order) => {
    const responses = await forBob('/v2/sample/oci/manifests/latest', docker19, cutOff, order);
    expect(responses.bob?.status).toBe(200);
  });
});
