import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
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

describe('a wrong setting', () => {
  const wrong = {
    REGSHIFT_CLIENTS: '{',
    REGSHIFT_LAYERS: 'no',
    REGSHIFT_REDIS_URL: 'x',
    REGSHIFT_TYPO: '1',
    PORT: 'x',
  };

  it.each([
    ['verify', []],
    ['check', ['--clients', 'containerd-2']],
    ['save', ['--for', 'podman', '-o', 'image.tar']],
  ])('does not stop %s, which does not need it', async (command, argv) => {
    const samples = await startSampleServer();
    onTestFinished(() => samples.stop());
    const image = `${new URL(samples.url).host}/sample/oci`;
    const file = join(temporaryFolder(), 'image.tar');
    const own = argv.map((word) => (word === 'image.tar' ? file : word));
    const { code, err } = await regshift([command, image, ...own], { env: wrong });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it.each([
    ['inspect', []],
    ['explain', ['--for', 'docker-24']],
    ['check', ['--with-proxy']],
  ])('stops %s, which runs the code of the proxy, and is named', async (command, argv) => {
    const env = { REGSHIFT_LAYERS: 'no', REGSHIFT_TYPO: '1', PORT: 'x' };
    const { code, err } = await regshift([command, '127.0.0.1:1/app', ...argv], { env });
    expect({ code, err }).toEqual({
      code: 2,
      err: 'regshift: REGSHIFT_LAYERS is "no": it must be auto or plain\n',
    });
  });

  it('of the way to a registry stops each command that contacts one', async () => {
    const { code, err } = await regshift(['verify', '127.0.0.1:1/app'], {
      env: { REGSHIFT_UPSTREAM_TIMEOUT: 'x' },
    });
    expect(code).toBe(2);
    expect(err).toMatch(/^regshift: REGSHIFT_UPSTREAM_TIMEOUT is "x": it must be /);
  });
});
