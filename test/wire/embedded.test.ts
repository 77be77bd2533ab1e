import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { startExampleOnNode, startExampleOnWorkerd } from '../support/embedded.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { rawRequest } from '../support/raw-http.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { simulator } from '../support/simulators/all.ts';
import { expectSample } from '../support/upstreams/expectations.ts';

describe.each([
  ['Node', startExampleOnNode],
  ['workerd', startExampleOnWorkerd],
] as const)('the example of an app that embeds regshift, on %s', (_, start) => {
  let registry: SampleServer;
  let app: BareWorkerd;
  beforeAll(async () => {
    registry = await startSampleServer();
    app = await start({ REGSHIFT_UPSTREAM: registry.url });
  }, 90_000);
  afterAll(async () => {
    await app?.stop();
    await registry?.stop();
  });

  const get = (path: string, client?: OldClient, method = 'GET') =>
    rawRequest({ port: app.port, method, path, headers: client ? manifestRequestHeaders[client] : [] });

  it.each(['Docker 1.6.2', 'Docker 1.9.1', 'Docker 1.10.3', 'Docker 17.05', 'Docker 20.10'])(
    'serves a pull of %s',
    async (name) => {
      for (const repository of ['sample/index', 'sample/oci-zstd']) {
        const pulled = await simulator(name).pull({ port: app.port, repository, reference: 'latest' });
        expectSample(pulled, repository);
      }
    },
  );

  it.each([
    ['Docker 1.9.1', mediaTypes.schema1Signed],
    ['Docker 1.13.1', mediaTypes.schema2],
  ] as const)('gives %s what it reads, signed with the key of the settings', async (client, type) => {
    const manifest = await get('/v2/sample/oci/manifests/latest', client);
    expect(manifest.header('Content-Type')).toBe(type);
    const head = await get('/v2/sample/oci/manifests/latest', client, 'HEAD');
    expect(head.header('Content-Length')).toBe(String(manifest.body.length));
    const text = new TextDecoder().decode(manifest.body);
    if (type === mediaTypes.schema1Signed) expect(text).toContain(testSigningKey.x);
  });

  it.each(['//v2/', '/v1/_ping', '/v2/_catalog'])('leaves %s to regshift', async (path) => {
    const response = await get(path, 'Docker 1.9.1');
    expect([response.status, response.header('X-Request-Id')]).toEqual([200, expect.any(String)]);
  });

  it.each(['/', '/healthz', '/page/page.js', '/v2x', '/tokens'])('leaves %s to the app', async (path) => {
    const { status, body, header } = await get(path);
    expect([status, new TextDecoder().decode(body)]).toEqual([200, 'The page of my own app.\n']);
    expect(header('X-Request-Id')).toBeUndefined();
  });
});
