import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { listen } from '../../../support/listen.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';

it('keeps no connection open for each image', async () => {
  let open = 0;
  let mostOpen = 0;
  const errors = [{ code: 'MANIFEST_UNKNOWN' }];
  const registry = createServer(({ url }, response) => {
    response.writeHead(url === '/v2/' ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(url === '/v2/' ? {} : { errors }));
  });
  registry.on('connection', (socket) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    socket.on('close', () => {
      open -= 1;
    });
  });
  const { host, stop } = await listen(registry);
  onTestFinished(() => stop());
  const images = Array.from({ length: 30 }, (_, at) => `${host}/team/app-${at}`);
  const { code, json } = await regshift(['check', ...images, '--clients', 'docker-1.13', '--json']);
  expect(code).toBe(1);
  expect(json<{ images: unknown[] }>().images).toHaveLength(30);
  expect(mostOpen).toBeLessThan(5);
});

it('asks a credential helper once for all images of a registry', async () => {
  const strict = await startStrictRegistry('alice:wonderland', createSampleRegistry().fetch);
  onTestFinished(() => strict.stop());
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  const helper = join(bin, 'docker-credential-test');
  const calls = join(folder, 'calls');
  mkdirSync(bin);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ credsStore: 'test' }));
  writeFileSync(
    helper,
    `#!/bin/sh\ncat >> '${calls}'\necho >> '${calls}'\necho '{"ServerURL":"","Username":"alice","Secret":"wonderland"}'\n`,
  );
  chmodSync(helper, 0o755);
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const images = ['oci', 'index', 'schema2'].map((name) => `${strict.host}/sample/${name}`);
  const argv = ['check', ...images, '--clients', 'containerd-2'];
  const { code, err } = await regshift(argv, { env: { DOCKER_CONFIG: folder } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(readFileSync(calls, 'utf8').trim()).toBe(strict.host);
});
