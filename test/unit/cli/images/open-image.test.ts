import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { regshift } from '../../../support/cli.ts';
import { listen } from '../../../support/listen.ts';
import { startSampleServer } from '../../../support/sample-server.ts';
import { type SimulatedNetwork, simulateNetwork } from '../../../support/simulated-network.ts';

let network: SimulatedNetwork;

beforeAll(() => {
  network = simulateNetwork();
});

afterAll(() => network.restore());

it('a command reads REGSHIFT_UPSTREAM_NETWORKS for a registry that redirects to a nearer address', async () => {
  const samples = await startSampleServer();
  onTestFinished(() => samples.stop());
  const { port } = new URL(samples.url);
  const redirecting = createServer((request, response) => {
    response.writeHead(307, { location: `http://169.254.0.7:${port}${request.url}` }).end();
  });
  const { host, stop } = await listen(redirecting);
  onTestFinished(() => stop());
  const refused = await regshift(['inspect', `${host}/sample/oci`]);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain('names 169.254.0.7');
  expect(refused.err).toContain('REGSHIFT_UPSTREAM_NETWORKS');
  expect(samples.requests).toEqual([]);
  const env = { REGSHIFT_UPSTREAM_NETWORKS: '169.254.0.7' };
  const { code, err } = await regshift(['inspect', `${host}/sample/oci`], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
});
