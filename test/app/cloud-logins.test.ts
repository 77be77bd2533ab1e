import { describe, expect, it, vi } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { amazon } from '../support/clouds/amazon.ts';
import { azure } from '../support/clouds/azure.ts';
import { type Cloud, challenge } from '../support/clouds/cloud.ts';
import { google } from '../support/clouds/google.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { settled } from '../support/settled.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/team/app/manifests/latest';

function over(cloud: Cloud, variables: Record<string, string> = {}): TestApp {
  const own = { REGSHIFT_CLIENT_AUTH: 'none', REGSHIFT_TAG_TTL: '0', REGSHIFT_STALE: '0', ...variables };
  return testApp({ ...cloud.settings, ...own }, cloud.network.fetch);
}

/** Lets time pass for the program and for the cloud. */
function pass(app: TestApp, cloud: Cloud, seconds: number): void {
  app.advance(seconds);
  cloud.advance(seconds);
}

function problemsOf(variables: Record<string, string>) {
  const read = readSettings(variables);
  return 'problems' in read ? read.problems.map(({ variable }) => variable) : [];
}

const clouds: readonly [name: string, make: (loginServer?: string) => Cloud, address: string][] = [
  ['ecr', amazon, 'AWS_ENDPOINT_URL_ECR'],
  ['gcp', google, 'token_uri'],
  ['acr', azure, 'AZURE_AUTHORITY_HOST'],
];

describe.each(clouds)('an account of the proxy by %s', (mode, make, address) => {
  it('pulls, with one login for all requests', async () => {
    const cloud = make();
    const app = over(cloud);
    const all = await Promise.all(Array.from({ length: 10 }, () => app.get(latest, docker19)));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    pass(app, cloud, cloud.life * 0.5);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(cloud.given()).toBe(1);
  });

  it('is renewed before it ends, while requests go on with it', async () => {
    const cloud = make();
    const app = over(cloud);
    await app.get(latest, docker19);
    pass(app, cloud, cloud.life * 0.85);
    expect((await app.get(latest, docker19)).status).toBe(200);
    await vi.waitFor(() => expect(cloud.given()).toBe(2));
    pass(app, cloud, cloud.life * 0.5);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(cloud.given()).toBe(2);
  });

  it('is renewed in time although the clock of the cloud is four minutes ahead', async () => {
    const cloud = make();
    const app = over(cloud);
    cloud.setAhead(240);
    await app.get(latest, docker19);
    pass(app, cloud, cloud.life * 0.8 + 60);
    await app.get(latest, docker19);
    await vi.waitFor(() => expect(cloud.given()).toBe(2));
  });

  it('stays in use to its end while the cloud gives no other, with a few lines in the log', async () => {
    const cloud = make();
    const app = over(cloud);
    await app.get(latest, docker19);
    cloud.refuse({ status: 500, body: { hidden: 'x' } });
    pass(app, cloud, cloud.life * 0.85);
    for (let times = 0; times < 5; times += 1) expect((await app.get(latest, docker19)).status).toBe(200);
    // The login is asked for beside the requests: Google's is signed by a thread of the pool before it is sent.
    const refusals = () =>
      app.logged.filter(({ message }) => message.startsWith('a cloud gave no new login'));
    await vi.waitFor(() => expect(refusals()).toHaveLength(1));
    await settled();
    expect(cloud.network.at(cloud.loginServer)).toHaveLength(2);
    expect(refusals()).toHaveLength(1);
    pass(app, cloud, cloud.life * 0.2);
    const ended = await app.get(latest, docker19);
    expect(ended.status).toBe(503);
    expect(ended.error().message).toContain('The login for upstream is not available: ');
    expect(JSON.stringify(app.logged) + ended.text()).not.toContain('hidden');
    cloud.refuse(undefined);
    pass(app, cloud, 6);
    expect((await app.get(latest, docker19)).status).toBe(200);
  });

  it('is replaced when the registry refuses it, and no pull fails', async () => {
    const cloud = make();
    const app = over(cloud);
    await app.get(latest, docker19);
    cloud.revoke();
    pass(app, cloud, 600);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(cloud.given()).toBe(2);
  });

  it('does not start without REGSHIFT_CLIENT_AUTH', () => {
    const { settings } = make();
    expect(problemsOf({ ...settings })).toEqual(['REGSHIFT_CLIENT_AUTH']);
    expect(problemsOf({ ...settings, REGSHIFT_CLIENT_AUTH: 'none' })).toEqual([]);
  });

  it('is for one registry', () => {
    const { settings, registry } = make();
    const two = {
      ...settings,
      REGSHIFT_UPSTREAM: `${registry},https://mirror.test`,
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    expect(problemsOf(two)).toContain('REGSHIFT_UPSTREAM_AUTH');
  });

  it('is for a registry of its cloud', () => {
    const { settings, registry } = make();
    for (const other of [
      'https://registry.test',
      `${registry.replace('https', 'http')}`,
      `${registry}.test`,
      `${registry}:8443`,
      registry.replace('https://', 'https://x@').replace('.', '.test/.'),
    ]) {
      const problems = problemsOf({ ...settings, REGSHIFT_UPSTREAM: other, REGSHIFT_CLIENT_AUTH: 'none' });
      expect([other, problems]).toEqual([other, expect.arrayContaining(['REGSHIFT_UPSTREAM'])]);
    }
  });

  it('takes no pushes by default', async () => {
    const cloud = make();
    const app = over(cloud);
    for (const [method, path] of [
      ['POST', '/v2/team/app/blobs/uploads/'],
      ['PUT', latest],
      ['DELETE', latest],
    ] as const) {
      expect((await app.send(method, path)).status).toBe(405);
    }
    expect(cloud.network.asked).toEqual([]);
  });

  it("never sends a client's login to the cloud or the registry", async () => {
    const cloud = make();
    const app = over(cloud);
    const own = `Basic ${btoa('alice:of-the-client')}`;
    expect((await app.get(latest, [...docker19, ['Authorization', own]])).status).toBe(200);
    expect(cloud.network.asked.map(({ authorization }) => authorization)).not.toContain(own);
  });

  it('goes to no server that the registry redirects to', async () => {
    const cloud = make();
    const app = over(cloud);
    const first = await app.get(latest, docker19);
    cloud.network.set('https://storage.test', () => new Response('', { status: 404 }));
    cloud.registryDoes((request, url) =>
      url.pathname.includes('/v2/team/') && request.headers.has('authorization')
        ? new Response(null, { status: 307, headers: { Location: `https://storage.test${url.pathname}` } })
        : (undefined as never),
    );
    const { fsLayers } = JSON.parse(first.text()) as { fsLayers: { blobSum: string }[] };
    await app.get(`/v2/team/app/blobs/${fsLayers[0]?.blobSum}`);
    await app.get('/v2/team/app/manifests/other', docker19);
    const there = cloud.network.at('https://storage.test');
    expect(there.length).toBeGreaterThan(0);
    expect(there.filter(({ authorization }) => authorization !== null)).toEqual([]);
  });

  it('has secrets that follow no redirect of the login server', async () => {
    const cloud = make();
    const app = over(cloud);
    cloud.network.set('https://elsewhere.test', () => Response.json({}));
    const away = { status: 307, headers: { Location: 'https://elsewhere.test/' } };
    cloud.network.set(cloud.loginServer, () => new Response(null, away));
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain('answered 307');
    expect(cloud.network.at('https://elsewhere.test')).toEqual([]);
  });

  it('goes to no token server elsewhere that the registry names', async () => {
    const cloud = make();
    const app = over(cloud);
    cloud.network.set('https://tokens.test', () => Response.json({ token: 'stolen' }));
    cloud.registryDoes((request, url) =>
      url.pathname.startsWith('/v2/team/') && !request.headers.has('authorization')
        ? challenge('Bearer realm="https://tokens.test/token",service="x"')
        : (undefined as never),
    );
    const response = await app.get(latest, docker19);
    expect(response.status).toBe(502);
    expect(response.error().message).toContain("the proxy's login is for the registry alone");
    expect(cloud.network.at('https://tokens.test')).toEqual([]);
  });

  it(`is requested at another address with ${address}, which must be https or of this machine`, async () => {
    const loopback = 'http://127.0.0.1:4566';
    const cloud = make(loopback);
    const at = (url: string) => (mode === 'gcp' ? make(url).settings : { ...cloud.settings, [address]: url });
    const app = testApp({ ...at(loopback), REGSHIFT_CLIENT_AUTH: 'none' }, cloud.network.fetch);
    expect((await app.get(latest, docker19)).status).toBe(200);
    const plain = { ...at('http://login.test'), REGSHIFT_CLIENT_AUTH: 'none' };
    expect(problemsOf(plain)).toEqual([mode === 'gcp' ? 'REGSHIFT_GOOGLE_KEY' : address]);
  });

  it('of another route is another login, and goes to its own registry', async () => {
    const cloud = make();
    const config = {
      clientAuth: 'none',
      routes: [
        { upstream: cloud.registry, upstreamAuth: mode, match: { path: 'cloud/' } },
        { upstream: 'https://plain.test', upstreamAuth: 'anonymous', match: { path: 'plain/' } },
      ],
    };
    const { REGSHIFT_UPSTREAM: _, REGSHIFT_UPSTREAM_AUTH: __, ...account } = cloud.settings;
    const variables = Object.fromEntries(
      Object.entries(account).filter(([name]) => name !== 'REGSHIFT_GOOGLE_KEY'),
    );
    const [first] = config.routes;
    const key = account.REGSHIFT_GOOGLE_KEY;
    if (key !== undefined) Object.assign(first ?? {}, { googleKey: JSON.parse(key) });
    const text = JSON.stringify(config);
    const app = testApp({ ...variables, REGSHIFT_UPSTREAM: '', REGSHIFT_CONFIG: text }, cloud.network.fetch);
    expect((await app.get('/v2/cloud/team/app/manifests/latest', docker19)).status).toBe(200);
    await app.get('/v2/plain/team/app/manifests/latest', docker19);
    const elsewhere = cloud.network.at('https://plain.test');
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(elsewhere.filter(({ authorization }) => authorization !== null)).toEqual([]);
  });

  it('reports a clock that is wrong', async () => {
    const cloud = make();
    const app = over(cloud);
    cloud.setAhead(7200);
    if (mode === 'acr') cloud.refuse({ status: 400, body: { error: 'invalid_request' } });
    const response = await app.get(latest, docker19);
    expect(response.status).toBe(503);
    expect(response.error().message).toContain('the clock of this machine is 7200 s behind the clock there');
    expect(JSON.stringify(app.logged) + response.text()).not.toContain('hidden');
  });

  it('reports a cloud that cannot be reached', async () => {
    const cloud = make();
    const app = over(cloud);
    cloud.network.set(cloud.loginServer, undefined);
    const response = await app.get(latest, docker19);
    expect(response.error().message).toContain(new URL(cloud.loginServer).host);
    expect(JSON.stringify(app.logged) + response.text()).not.toContain('hidden');
  });
});

describe('a refusal of a cloud says what to do', () => {
  it.each<[name: string, make: () => Cloud, variables: Record<string, string>, message: RegExp]>([
    [
      'a wrong secret key',
      amazon,
      { AWS_SECRET_ACCESS_KEY: 'hidden' },
      /InvalidSignatureException\. Check AWS_SECRET/,
    ],
    [
      'an unknown key',
      amazon,
      { AWS_ACCESS_KEY_ID: 'AKIDOTHER' },
      /UnrecognizedClientException\. Check AWS_ACCESS_KEY/,
    ],
    [
      'a foreign session',
      amazon,
      { AWS_SESSION_TOKEN: 'hidden' },
      /ExpiredTokenException\. The AWS credentials/,
    ],
    [
      'a wrong client secret',
      azure,
      { AZURE_CLIENT_SECRET: 'hidden' },
      /invalid_client\. Check AZURE_CLIENT_SECRET/,
    ],
    ['an unknown client', azure, { AZURE_CLIENT_ID: 'other' }, /unauthorized_client\. Check AZURE_CLIENT_ID/],
    ['an unknown tenant', azure, { AZURE_TENANT_ID: 'other' }, /invalid_request\. Check AZURE_TENANT_ID/],
  ])('%s', async (_, make, variables, message) => {
    const cloud = make();
    const app = over(cloud, variables);
    const response = await app.get(latest, docker19);
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([503, null]);
    expect(response.error().message).toMatch(message);
    expect(JSON.stringify(app.logged) + response.text()).not.toContain('hidden');
  });

  it('no permission', async () => {
    const cloud = amazon();
    cloud.refuse({ status: 400, body: { __type: 'com.amazonaws#AccessDeniedException', message: 'hidden' } });
    const response = await over(cloud).get(latest, docker19);
    expect(response.error().message).toContain('Allow ecr:GetAuthorizationToken');
  });

  it('an error with the name of a member that each object has', async () => {
    const cloud = amazon();
    cloud.refuse({ status: 400, body: { __type: 'com.amazonaws#toString' } });
    const response = await over(cloud).get(latest, docker19);
    expect(response.error().message).toContain('Check the AWS credentials, and that');
  });
});

it('a session token of AWS is signed and sent', async () => {
  const cloud = amazon(undefined, 'hidden-session');
  expect((await over(cloud).get(latest, docker19)).status).toBe(200);
});

it('a key of a route takes no session token from the variables', async () => {
  const cloud = amazon();
  const route = { upstream: cloud.registry, upstreamAuth: 'ecr', clientAuth: 'none' };
  const { AWS_ACCESS_KEY_ID: awsAccessKeyId, AWS_SECRET_ACCESS_KEY: awsSecretAccessKey } = cloud.settings;
  const config = { routes: [{ ...route, awsAccessKeyId, awsSecretAccessKey }] };
  const variables = {
    AWS_ACCESS_KEY_ID: 'other',
    AWS_SECRET_ACCESS_KEY: 'other',
    AWS_SESSION_TOKEN: 'other',
  };
  const app = testApp(
    { ...variables, REGSHIFT_UPSTREAM: '', REGSHIFT_CONFIG: JSON.stringify(config) },
    cloud.network.fetch,
  );
  expect((await app.get(latest, docker19)).status).toBe(200);
});
