import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type BareWorkerd, startBareWorkerd } from '../support/bare-workerd.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { rawRequest } from '../support/raw-http.ts';

const headers = manifestRequestHeaders['Docker 1.13.1'];
const upstreamTakes = 700;

/** The sample registry with the delay of a busy registry. */
async function startSlowRegistry(): Promise<Server> {
  const samples = createSampleRegistry();
  const server = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    await sleep(upstreamTakes);
    const sent = new Headers();
    for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent.set(name, value);
    const answer = await samples.fetch(`http://sample.test${url}`, { method, headers: sent });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** workerd cancels a request when its client disconnects: requests of other clients must not be cancelled with it. */
describe('a client that disconnects', () => {
  let upstream: Server;
  let worker: BareWorkerd;
  beforeAll(async () => {
    upstream = await startSlowRegistry();
    const { port } = upstream.address() as AddressInfo;
    worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: `http://127.0.0.1:${port}` });
  }, 70_000);
  afterAll(async () => {
    await worker?.stop();
    upstream?.closeAllConnections();
    upstream?.close();
  });

  const leaveAfter = async (milliseconds: number, path: string) => {
    const lines = [['Host', 'regshift.test'] as const, ...headers].map((line) => line.join(': '));
    const client = connect(worker.port, '127.0.0.1');
    client.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    await sleep(milliseconds);
    client.resetAndDestroy();
    await sleep(50);
  };

  it.each([
    ['while its tag is resolved', 'sample/schema2', 'latest', 0.5, 200],
    ['while its manifest is fetched', 'sample/schema1', 'latest', 1.5, 200],
    ['while its layers are read', 'sample/oci-zstd', 'latest', 3.5, 200],
    ['while its digest is searched', 'sample/index', `sha256:${'a'.repeat(64)}`, 2.5, 404],
  ])('%s does not delay the next client', async (_, repository, reference, responses, status) => {
    const path = `/v2/${repository}/manifests/${reference}`;
    await leaveAfter(responses * upstreamTakes, path);
    const response = await rawRequest({ port: worker.port, method: 'GET', path, headers, deadline: 12_000 });
    expect(response.status).toBe(status);
  });
});
