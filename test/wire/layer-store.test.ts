import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestHex, digestOf } from '../../converters/digest.ts';
import { registryTag } from '../../src/layers/store/stored-blobs.ts';
import { type BreakingImage, type LayerScript, useBreakingRegistry } from '../support/breaking-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { rawRequest } from '../support/raw-http.ts';
import { serveOnNode } from '../support/wire-server.ts';

const headers = manifestRequestHeaders['Docker 1.13.1'];
const whole: LayerScript = () => ({});
const folder = await mkdtemp(join(tmpdir(), 'regshift-layers-'));

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('layers out of a folder', () => {
  const log = vi.fn();
  const running = useBreakingRegistry((upstream) =>
    serveOnNode(upstream, { REGSHIFT_STORE: `file://${folder}`, REGSHIFT_MEASURE_DEADLINE: '1' }, log),
  );

  /** The file of an image's layer in the store. */
  const fileOf = ({ tar }: BreakingImage) => {
    const hex = digestHex(digestOf(tar));
    const name = `${hex}.${registryTag(running.registry.url)}`;
    return join(folder, 'blobs', 'sha256', hex.slice(0, 2), name);
  };
  const get = (path: string, more: readonly (readonly [string, string])[] = [], method = 'GET') =>
    rawRequest({
      port: running.server.port,
      method,
      path,
      headers: [...headers, ...more],
      deadline: 20_000,
    });
  const manifest = ({ repository }: BreakingImage) => get(`/v2/${repository}/manifests/latest`);
  const layer = ({ repository, tar }: BreakingImage, range?: string) =>
    get(`/v2/${repository}/blobs/${digestOf(tar)}`, range ? [['Range', range]] : []);
  const stored = (image: BreakingImage) =>
    vi.waitFor(async () => {
      expect(await readdir(dirname(fileOf(image)))).toContain(basename(fileOf(image)));
    });

  /** An image whose manifest was converted, and whose layer left the store since. */
  async function evicted(repository: string, script: LayerScript): Promise<BreakingImage> {
    const image = running.registry.add(repository, 'zstd', script);
    expect((await manifest(image)).status).toBe(200);
    await stored(image);
    await rm(fileOf(image));
    return image;
  }

  it('are read once from upstream: for the conversion', async () => {
    const image = running.registry.add('team/once', 'zstd', whole);
    expect((await manifest(image)).status).toBe(200);
    await stored(image);
    const { status, header, body } = await layer(image);
    expect([status, header('Content-Length'), digestOf(body)]).toEqual([200, '300000', digestOf(image.tar)]);
    expect(image.requests).toHaveLength(1);
  });

  it('are sent in parts, as they are', async () => {
    const image = running.registry.add('team/parts', 'zstd', whole);
    await manifest(image);
    await stored(image);
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=150000-', 150_000, 300_000],
      ['bytes=-1', 299_999, 300_000],
    ] as const) {
      const part = await layer(image, range);
      expect(part.status).toBe(206);
      expect(part.header('Content-Range')).toBe(`bytes ${start}-${end - 1}/300000`);
      expect(digestOf(part.body)).toBe(digestOf(image.tar.subarray(start, end)));
    }
    const beyond = await layer(image, 'bytes=300000-');
    expect([beyond.status, beyond.header('Content-Range')]).toEqual([416, 'bytes */300000']);
    expect(image.requests).toHaveLength(1);
  });

  it('are read again, once for all clients, when they have left the store', async () => {
    const released = Promise.withResolvers<void>();
    const image = await evicted('team/shared', (nth) =>
      nth === 0 ? {} : { hold: { after: 100_000, until: released.promise } },
    );
    const clients = [
      layer(image),
      layer(image),
      layer(image, 'bytes=1000-2000'),
      layer(image, 'bytes=200000-'),
    ];
    // The part that has come already does not wait for the rest.
    expect(digestOf((await clients[2])?.body ?? new Uint8Array())).toBe(
      digestOf(image.tar.subarray(1000, 2001)),
    );
    released.resolve();
    const [first, second, , last] = await Promise.all(clients);
    expect([first, second].map((each) => digestOf(each?.body ?? new Uint8Array()))).toEqual(
      Array(2).fill(digestOf(image.tar)),
    );
    expect(digestOf(last?.body ?? new Uint8Array())).toBe(digestOf(image.tar.subarray(200_000)));
    expect(image.requests).toHaveLength(2);
    await stored(image);
  });

  it('come from upstream if the stored file was cut off, which is removed', async () => {
    const image = running.registry.add('team/short', 'zstd', whole);
    await manifest(image);
    await stored(image);
    await truncate(fileOf(image), 299_999);
    const { status, body } = await layer(image);
    expect([status, digestOf(body)]).toEqual([200, digestOf(image.tar)]);
    expect(image.requests.length).toBeGreaterThan(1);
  });

  it('are never served or stored with other bytes than those of the digest', async () => {
    const image = await evicted('team/wrong', (nth, _from, bytes) =>
      nth === 0 ? {} : { bytes: bytes.map((byte, at) => (at > bytes.length - 1000 ? byte ^ 1 : byte)) },
    );
    await expect(layer(image)).rejects.toThrow();
    await expect(readdir(dirname(fileOf(image)))).resolves.not.toContain(basename(fileOf(image)));
  });

  it.each([0, 10, 1_000, 100_000])(
    'are no failure of upstream to a client that leaves (%i bytes came)',
    async (after) => {
      const ended = Promise.withResolvers<void>();
      const image = await evicted(`team/left-${after}`, (nth) =>
        nth === 0 ? {} : { hold: { after, until: ended.promise } },
      );
      log.mockClear();
      const client = connect(running.server.port, '127.0.0.1');
      client.on('error', () => undefined);
      const lines = headers.map((line) => line.join(': ')).join('\r\n');
      const path = `/v2/${image.repository}/blobs/${digestOf(image.tar)}`;
      client.write(`GET ${path} HTTP/1.1\r\nHost: regshift.test\r\n${lines}\r\n\r\n`);
      await vi.waitFor(() => expect(image.requests).toHaveLength(2));
      await sleep(100);
      client.resetAndDestroy();
      await vi.waitFor(() => expect(log).toHaveBeenCalledWith('info', 'request', expect.anything()));
      ended.resolve();
      const codes = log.mock.calls.map(([, , facts]) => facts?.code);
      expect(codes).not.toContain('UPSTREAM_ANSWER');
      expect(log.mock.calls.filter(([level]) => level === 'warn' || level === 'error')).toEqual([]);
    },
  );

  it('come from upstream while the store cannot be written', async () => {
    const image = await evicted('team/full', whole);
    await rm(join(folder, 'incoming'), { recursive: true, force: true });
    await writeFile(join(folder, 'incoming'), 'a file in the place of the folder');
    const { status, body } = await layer(image);
    expect([status, digestOf(body)]).toEqual([200, digestOf(image.tar)]);
    await rm(join(folder, 'incoming'));
  });

  it('leave no unfinished file where the process stops while it reads one', async () => {
    const own = await mkdtemp(join(tmpdir(), 'regshift-stopped-'));
    onTestFinished(() => rm(own, { recursive: true }));
    const released = Promise.withResolvers<void>();
    const hold = { after: 100_000, until: released.promise };
    const { repository } = running.registry.add('team/stopped', 'zstd', () => ({ hold }));
    const { port, stop } = await serveOnNode(running.registry.url, { REGSHIFT_STORE: `file://${own}` });
    const path = `/v2/${repository}/manifests/latest`;
    const pulled = rawRequest({ port, method: 'GET', path, headers }).catch(() => undefined);
    const unfinished = () => readdir(join(own, 'incoming'));
    await vi.waitFor(async () => expect(await unfinished()).toHaveLength(1));
    await stop();
    expect(await unfinished()).toEqual([]);
    released.resolve();
    await pulled;
  });
});
