import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { type ChoosyRegistry, choosyRegistry, generations } from '../support/choosy-registry.ts';
import { exampleOnNode, exampleOnWorkerd } from '../support/embedded.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { oldPushers } from '../support/push-simulators.ts';
import { treeOfSample } from '../support/push-tree.ts';
import { rawRequest } from '../support/raw-http.ts';
import { startSampleServer } from '../support/sample-server.ts';
import { serveScript } from '../support/served-script.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { simulator } from '../support/simulators/all.ts';
import { expectSample } from '../support/upstreams/expectations.ts';

const running: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  for (const { stop } of running.toReversed()) await stop();
});

function get(port: number, path: string, client?: OldClient, method = 'GET') {
  return rawRequest({ port, method, path, headers: client ? manifestRequestHeaders[client] : [] });
}

const ownPage = 'The page of my own app.\n';

describe.each([
  ['Node', () => exampleOnNode()],
  ['node:http', () => exampleOnNode('node-http.ts')],
  ['workerd', () => exampleOnWorkerd()],
] as const)('the example of an app that embeds regshift, on %s', (_, prepare) => {
  let app: BareWorkerd;
  let pushed: BareWorkerd;
  let registry: ChoosyRegistry;
  beforeAll(async () => {
    const samples = await startSampleServer();
    registry = choosyRegistry({ takes: generations.oci });
    const choosy = await serveScript(registry.script);
    const { start, remove } = await prepare();
    running.push(samples, choosy, { stop: remove });
    app = await start({ REGSHIFT_UPSTREAM: samples.url });
    running.push(app);
    pushed = await start({ REGSHIFT_UPSTREAM: choosy.url });
    running.push(pushed);
  }, 90_000);

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
    const path = '/v2/sample/oci/manifests/latest';
    const manifest = await get(app.port, path, client);
    expect(manifest.header('Content-Type')).toBe(type);
    const head = await get(app.port, path, client, 'HEAD');
    expect(head.header('Content-Length')).toBe(String(manifest.body.length));
    const text = new TextDecoder().decode(manifest.body);
    expect(text.includes(testSigningKey.x)).toBe(type === mediaTypes.schema1Signed);
  });

  it('stores what an old engine pushes in the form that the registry takes', async () => {
    const tree = await treeOfSample('sample/schema1');
    expect((await oldPushers[0]?.push(pushed.port, 'by/engine', '1.0', tree))?.status).toBe(201);
    const stored = [...registry.manifests.values()].map(({ mediaType }) => mediaType);
    expect(stored).toEqual([mediaTypes.ociManifest]);
  });

  it.each(['//v2/', '/v1/_ping', '/v2/_catalog'])('leaves %s to regshift', async (path) => {
    const response = await get(app.port, path, 'Docker 1.9.1');
    expect([response.status, response.header('X-Request-Id')]).toEqual([200, expect.any(String)]);
  });

  it.each(['/', '/healthz', '/page/page.js', '/v2x', '/tokens'])('leaves %s to the app', async (path) => {
    const { status, body, header } = await get(app.port, path);
    expect([status, new TextDecoder().decode(body)]).toEqual([200, ownPage]);
    expect(header('X-Request-Id')).toBeUndefined();
  });
});

describe('the example of a Worker around the one of regshift', () => {
  let worker: BareWorkerd;
  beforeAll(async () => {
    const { start, remove } = await exampleOnWorkerd('wrapped-worker.ts');
    running.push({ stop: remove });
    worker = await start({ REGSHIFT_UPSTREAM: 'sample' });
    running.push(worker);
  }, 90_000);

  it('answers a path of its own, and leaves all else to regshift', async () => {
    expect(new TextDecoder().decode((await get(worker.port, '/hello')).body)).toBe(ownPage);
    const manifest = await get(worker.port, '/v2/sample/oci/manifests/latest', 'Docker 1.9.1');
    expect([manifest.status, manifest.header('Content-Type')]).toEqual([200, mediaTypes.schema1Signed]);
  });
});
