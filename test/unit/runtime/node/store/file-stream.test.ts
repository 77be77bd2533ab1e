import { once } from 'node:events';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { digestHex } from '../../../../../converters/digest.ts';
import { systemClock, systemWallClock } from '../../../../../src/clock.ts';
import { responseWithUpstreamBody } from '../../../../../src/http/upstream-body.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import { createListener } from '../../../../../src/runtime/node/http/listener.ts';
import { hasFileOperations } from '../../../../../src/runtime/node/store/file-operations.ts';
import { createFolderStore } from '../../../../../src/runtime/node/store/folder-store.ts';
import { storeBlob } from '../../../../support/blob-stores.ts';
import { layerContent } from '../../../../support/layer-content.ts';

/** Serves one stored layer of 32 MiB, which no buffer of a connection holds. */
async function servingStored() {
  const path = await mkdtemp(join(tmpdir(), 'regshift-file-stream-'));
  const clocks = { clock: systemClock, wallClock: systemWallClock };
  const store = createFolderStore({ path, bytes: 2 ** 40, ...clocks, log: () => {}, metrics: noMetrics });
  const blob = await storeBlob(store, layerContent(32 * 2 ** 20));
  const log = vi.fn();
  const fetch = async () =>
    responseWithUpstreamBody((await store.read(blob)) ?? null, {
      headers: { 'Content-Length': String(blob.size) },
    });
  const responseCache = { lookup: () => undefined, revalidate: () => undefined };
  const server = createServer(createListener({ fetch, responseCache }, log).listen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(path, { recursive: true, force: true });
  });
  const hex = digestHex(blob.digest);
  const file = join(path, 'blobs', 'sha256', hex.slice(0, 2), hex);
  return { port: (server.address() as AddressInfo).port, log, server, file };
}

/** A client that reads the first bytes, and then nothing. */
async function slowClient(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: regshift.test\r\n\r\n');
  await once(client, 'data');
  client.pause();
  await sleep(100);
  return client;
}

it.each([
  ['by a reset', (client: Socket) => client.resetAndDestroy()],
  ['by its end', (client: Socket) => client.destroy()],
])(
  'a client that leaves %s while it reads a stored layer slowly is no error of the store',
  async (_, leave) => {
    const { port, log, server } = await servingStored();
    const client = await slowClient(port);
    leave(client);
    const connections = () =>
      new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
    await expect.poll(hasFileOperations).toBe(false);
    expect(log).not.toHaveBeenCalled();
  },
);

it('a stored layer that ends early is an error, and cuts the connection', async () => {
  const { port, log, file } = await servingStored();
  const client = await slowClient(port);
  await truncate(file, 2 ** 20);
  client.resume();
  await once(client, 'close');
  expect(log).toHaveBeenCalledWith(
    'warn',
    'an answer broke off',
    expect.objectContaining({ reason: expect.stringContaining('the file ends at its byte') }),
  );
});
