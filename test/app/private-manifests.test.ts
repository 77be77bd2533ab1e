import { beforeEach, describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { basicChallenge, privateTo, scriptedUpstream, type Upstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';

const as = (authorization: string | undefined, headers: readonly (readonly [string, string])[] = docker19) =>
  authorization === undefined ? headers : ([...headers, ['Authorization', authorization]] as const);

/** Clients without the right. */
const strangers = [
  ['another login', bob],
  ['no login', undefined],
  ['the same login, spelt differently', 'basic YWxpY2U6c2VjcmV0'],
] as const;

let upstream: Upstream;
let app: TestApp;
beforeEach(() => {
  upstream = scriptedUpstream(privateTo(alice));
  app = testApp({}, upstream.fetch);
});

/** Pulls a manifest as alice. @returns its paths by tag and by digest. */
async function pulledByAlice(sample: string, headers = docker19) {
  const byTag = await app.get(`/v2/${sample}/manifests/latest`, as(alice, headers));
  expect(byTag.status).toBe(200);
  return {
    tag: `/v2/${sample}/manifests/latest`,
    'the derived digest': `/v2/${sample}/manifests/${byTag.header('Docker-Content-Digest')}`,
    'the stored digest': `/v2/${sample}/manifests/${byTag.header('Regshift-Source-Digest')}`,
  };
}

describe('a private manifest that is cached for one login', () => {
  for (const [stranger, authorization] of strangers) {
    it.each([
      ['sample/oci', 'tag'],
      ['sample/oci', 'the derived digest'],
      ['sample/oci', 'the stored digest'],
      ['sample/index', 'tag'],
      ['sample/index', 'the derived digest'],
    ] as const)(`is not sent to ${stranger}: %s by %s`, async (sample, name) => {
      const path = (await pulledByAlice(sample))[name];
      for (const method of ['GET', 'HEAD']) {
        const response = await app.send(method, path, as(authorization));
        expect(response.status).toBe(401);
        expect(response.header('WWW-Authenticate')).toBe(basicChallenge);
        expect(response.header('Docker-Content-Digest')).toBeNull();
      }
    });
  }

  it('is sent to that login again, without a request to upstream', async () => {
    const paths = await pulledByAlice('sample/oci');
    await app.get(paths['the derived digest'], as(alice));
    upstream.forget();
    expect((await app.get(paths.tag, as(alice))).status).toBe(200);
    expect((await app.get(paths['the derived digest'], as(alice))).status).toBe(200);
    expect(upstream.asked).toEqual([]);
  });

  it('is sent to another login once upstream has accepted that login', async () => {
    const paths = await pulledByAlice('sample/oci');
    upstream.follow(privateTo(alice, bob));
    upstream.forget();
    expect((await app.get(paths['the derived digest'], as(bob))).status).toBe(200);
    expect(upstream.carried).toEqual([bob]);
  });

  it('is not confirmed by If-None-Match to a client without the right', async () => {
    const path = (await pulledByAlice('sample/oci'))['the derived digest'];
    const known = [...docker19, ['If-None-Match', `"${path.split('/').at(-1)}"`]] as const;
    expect((await app.get(path, known)).status).toBe(401);
  });

  it('does not grant access to the manifests of its converted list', async () => {
    const list = await app.get('/v2/sample/index/manifests/latest', as(alice, docker113));
    const { manifests } = JSON.parse(list.text()) as { manifests: { digest: string }[] };
    expect(manifests.length).toBe(2);
    for (const { digest } of manifests) {
      const path = `/v2/sample/index/manifests/${digest}`;
      expect((await app.get(path, as(alice, docker113))).status).toBe(200);
      expect((await app.get(path, as(bob, docker113))).status).toBe(401);
      expect((await app.get(path, docker113)).status).toBe(401);
    }
  });

  it('does not grant access to its blobs', async () => {
    await pulledByAlice('sample/oci');
    const { fsLayers } = JSON.parse((await app.get('/v2/sample/oci/manifests/latest', as(alice))).text()) as {
      fsLayers: { blobSum: string }[];
    };
    for (const { blobSum } of fsLayers) {
      expect((await app.get(`/v2/sample/oci/blobs/${blobSum}`)).status).toBe(401);
    }
  });
});

describe('a login that has lost its right upstream', () => {
  it('is refused once the TTL is over, by tag and by digest', async () => {
    const paths = await pulledByAlice('sample/oci');
    upstream.follow(privateTo(bob));
    app.advance(31);
    for (const path of Object.values(paths)) {
      expect((await app.get(path, as(alice))).status).toBe(401);
    }
  });

  it('is refused at once with a TTL of 0', async () => {
    app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const paths = await pulledByAlice('sample/oci');
    upstream.follow(privateTo(bob));
    for (const path of Object.values(paths)) {
      expect((await app.get(path, as(alice))).status).toBe(401);
    }
  });
});

describe('concurrent requests', () => {
  it('share no right: upstream checks each login', async () => {
    const path = '/v2/sample/oci/manifests/latest';
    const logins = [alice, bob, undefined, alice, bob, undefined];
    const responses = await Promise.all(logins.map((login) => app.get(path, as(login))));
    expect(responses.map(({ status }) => status)).toEqual([200, 401, 401, 200, 401, 401]);
  });
});

describe('a public manifest', () => {
  it('is sent to all clients within the TTL, with any login', async () => {
    upstream.follow();
    const path = '/v2/sample/oci/manifests/latest';
    await app.get(path, docker19);
    upstream.forget();
    expect((await app.get(path, as(bob))).status).toBe(200);
    expect(upstream.asked).toEqual([]);
  });

  it('that was requested with a login is not treated as public', async () => {
    upstream.follow();
    const path = '/v2/sample/oci/manifests/latest';
    await app.get(path, as(alice));
    upstream.follow(privateTo(alice));
    expect((await app.get(path, docker19)).status).toBe(401);
  });
});
