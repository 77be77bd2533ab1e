import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { rawRequest } from '../support/raw-http.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';
import { v1OverSocket } from '../support/v1-raw.ts';
import { serveOnNode, serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

/** The app without a socket, whose responses both runtimes should send. */
const app = testApp();
const samples = ['sample/generic', 'sample/schema1', 'sample/oci-zstd', 'sample/index'];
const cases = v1DaemonNames.flatMap((daemon) => samples.map((sample) => ({ daemon, sample })));

describe.each([
  { runtime: 'Node', start: serveOnNode },
  { runtime: 'workerd', start: serveOnWorkerd },
])('API v1 on $runtime', ({ start }) => {
  let upstream: SampleServer | undefined;
  let server: WireServer | undefined;
  beforeAll(async () => {
    upstream = await startSampleServer();
    server = await start(upstream.url);
  }, 70_000);
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
  });

  const pull = (daemon: (typeof v1DaemonNames)[number], sample: string, breakAfter?: number) =>
    pullV1({ daemon: v1Daemons[daemon], http: v1OverSocket(server?.port ?? 0), breakAfter }, sample);

  it.each(cases)('$daemon pulls $sample', async ({ daemon, sample }) => {
    const { ids, json, layers } = await pullV1({ daemon: v1Daemons[daemon], http: app.send }, sample);
    expect(await pull(daemon, sample)).toMatchObject({ ids, json, layers });
  });

  it.each(samples)('a layer of %s has a Content-Length', async (sample) => {
    const { session, layers } = await pull('Docker 1.7.1', sample);
    for (const [id, layer] of layers) {
      const response = await session.get(`images/${id}/layer`);
      expect([response.header('Content-Length'), response.header('Transfer-Encoding')]).toEqual([
        String(layer.length),
        undefined,
      ]);
      expect(response.header('Content-Encoding')).toBeUndefined();
    }
  });

  it.each(samples)('a layer of %s that broke off is not resumed: it has no parts', async (sample) => {
    await expect(pull('Docker 1.9.1', sample, 32)).rejects.toThrow('unexpected EOF');
    const { session, ids, layers } = await pull('Docker 1.9.1', sample);
    for (const id of ids) {
      const whole = layers.get(id);
      const response = await session.get(`images/${id}/layer`, [['Range', `bytes=1-${whole?.length}`]]);
      expect([response.status, response.header('Content-Range')]).toEqual([200, undefined]);
      expect(response.body).toEqual(whole);
    }
  });

  it('docker login gets 401 for its POST, whose body is not read', async () => {
    const body = new TextEncoder().encode(
      JSON.stringify({ username: 'alice', password: 'x'.repeat(100_000) }),
    );
    const headers = [
      ['User-Agent', v1Daemons['Docker 1.5.0'].userAgent],
      ['Content-Length', String(body.length)],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Accept-Encoding', 'gzip'],
      ['Connection', 'close'],
    ] as const;
    const port = server?.port ?? 0;
    expect((await rawRequest({ port, method: 'POST', path: '/v1/users/', headers, body })).status).toBe(401);
  });
});
