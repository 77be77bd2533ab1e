import { expect, it } from 'vitest';
import { type Metrics, noMetrics } from '../../src/observability/metrics.ts';
import { testApp } from '../support/app.ts';
import { behindLogin, type Host, holding, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const basic = (password: string) => `Basic ${btoa(`puller:${password}`)}`;
const account = {
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'puller',
  REGSHIFT_UPSTREAM_PASSWORD: 'of-the-start',
  REGSHIFT_CLIENT_AUTH: 'none',
};

/** The program in front of a registry whose password can change, and what it counts of refusals. */
function startApp(variables: Record<string, string> = account) {
  let password = 'of-the-start';
  const images = holding({ 'team/app': 'sample/oci' });
  // Some registries answer 401 for a repository that does not exist.
  const refusing: Host = (request, url) =>
    url.pathname.includes('/team/none/') ? new Response(null, { status: 401 }) : images(request, url);
  const registry: Host = (request, url) => behindLogin(basic(password), refusing)(request, url);
  const { fetch, at } = network({ [upstreamUrl]: registry });
  const counted: number[] = [];
  const metrics: Metrics = {
    ...noMetrics,
    accountRefused: (_route, requests) => void counted.push(requests),
  };
  const app = testApp({ REGSHIFT_TAG_TTL: '1', ...variables }, fetch, { metrics });
  return {
    app,
    counted,
    pings: () => at(upstreamUrl).filter(({ path }) => path === '/v2/').length,
    change: (next: string) => {
      password = next;
    },
    async pull(name = 'team/app') {
      app.advance(5);
      const { status } = await app.get(`/v2/${name}/manifests/latest`, docker19);
      await app.settled();
      return status;
    },
    warnings: () => app.logged.filter(({ message }) => message === 'the registry cannot be used'),
  };
}

it("a registry that no longer takes the proxy's own account is logged once a minute, and each failure counts", async () => {
  const { pull, change, warnings, counted } = startApp();
  expect(await pull()).toBe(200);
  expect([warnings().length, counted]).toEqual([0, [0]]);
  change('another');
  for (const _ of [1, 2, 3]) expect(await pull()).toBe(403);
  expect(warnings()).toMatchObject([
    {
      level: 'warn',
      facts: { route: 'all', registry: upstreamUrl, reason: expect.stringContaining('(401)') },
    },
  ]);
  expect(counted).toEqual([0, 1, 1, 1]);
  for (let seconds = 0; seconds < 60; seconds += 5) await pull();
  expect(warnings()).toHaveLength(2);
});

it('an account that is taken again counts no more failures', async () => {
  const { app, pull, change, counted } = startApp();
  change('another');
  expect(await pull()).toBe(403);
  change('of-the-start');
  expect(await pull()).toBe(200);
  app.advance(60);
  expect(await pull('team/none')).toBe(403);
  counted.length = 0;
  expect(await pull('team/none')).toBe(403);
  expect(counted).toEqual([]);
});

it('a repository that a registry hides with a 401 is no refusal of the account', async () => {
  const { pull, warnings, counted, pings } = startApp();
  for (const _ of [1, 2, 3]) expect(await pull('team/none')).toBe(403);
  expect([warnings(), counted]).toEqual([[], [0]]);
  expect(pings()).toBeLessThanOrEqual(2);
});

it('a proxy without an account has none to look at', async () => {
  const { pull, warnings, counted } = startApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' });
  expect(await pull()).toBe(403);
  expect([warnings(), counted]).toEqual([[], []]);
});
