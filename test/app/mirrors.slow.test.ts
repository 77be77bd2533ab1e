import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { holding, type Network, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

const first = 'http://near.test';
const second = 'https://far.test';

it('the next registry is asked after a while when the first one does not respond', async () => {
  const reachable = network({ [second]: holding({ 'team/app': 'sample/oci' }) });
  const fetch: Network['fetch'] = (url, init) =>
    url.startsWith(first)
      ? new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
      : reachable.fetch(url, init);
  const variables = { REGSHIFT_UPSTREAM: `${first},${second}`, REGSHIFT_UPSTREAM_AUTH: 'anonymous' };
  const app = testApp(variables, fetch);
  const started = Date.now();
  const response = await app.get('/v2/team/app/manifests/latest', manifestRequestHeaders['Docker 1.9.1']);
  expect(response.status).toBe(200);
  expect(Date.now() - started).toBeGreaterThan(7_000);
});
