import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { type BreakingImage, type LayerAnswer, useBreakingRegistry } from '../support/breaking-registry.ts';
import { endOfConnection } from '../support/end-of-connection.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { rawRequest } from '../support/raw-http.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { ancestry, idOfTag } from '../support/v1-pull.ts';
import { v1OverSocket } from '../support/v1-raw.ts';
import { v1Session } from '../support/v1-session.ts';
import { serveOnNode, serveOnWorkerd } from '../support/wire-server.ts';

const daemon = v1Daemons['Docker 1.9.1'];
const lengthless = { 'content-length': null };

/** Wrong bytes as a registry may send them, with and without a length. */
const wrong: readonly [string, (layer: Uint8Array) => LayerAnswer][] = [
  ['a changed first byte', (layer) => ({ bytes: layer.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) })],
  [
    'a changed last byte',
    (layer) => ({ bytes: layer.map((byte, at) => (at === layer.length - 1 ? byte ^ 1 : byte)) }),
  ],
  ['a layer without its end', (layer) => ({ bytes: layer.subarray(0, -1) })],
  ['a longer layer', (layer) => ({ bytes: new Uint8Array([...layer, 0]) })],
  ['an empty layer', () => ({ bytes: new Uint8Array() })],
  ['one byte', () => ({ bytes: new Uint8Array(1) })],
  [
    'a longer layer without a length',
    (layer) => ({ bytes: new Uint8Array([...layer, 0]), headers: lengthless }),
  ],
  ['a shorter layer without a length', (layer) => ({ bytes: layer.subarray(0, -1), headers: lengthless })],
  [
    'a changed layer without a length',
    (layer) => ({ bytes: layer.map((byte) => byte ^ 1), headers: lengthless }),
  ],
];

describe.each([
  { runtime: 'Node', start: serveOnNode },
  { runtime: 'workerd', start: serveOnWorkerd },
])('a layer for a client that verifies nothing, on $runtime', ({ start, runtime }) => {
  const running = useBreakingRegistry(start);

  /** Begins a pull by API v1. @returns the session and the path of the layer in it. */
  async function begin({ repository }: BreakingImage) {
    const session = v1Session({ daemon, http: v1OverSocket(running.server.port) });
    const [id] = await ancestry(session, await idOfTag(session, repository, 'latest'));
    return { session, path: `images/${id}/layer` };
  }

  it.each(['gzip', 'zstd'] as const)('is whole if it is right (%s)', async (compression) => {
    const image = running.registry.add(`right/${compression}`, compression, () => ({}));
    const { session, path } = await begin(image);
    const response = await session.get(path);
    const expected = compression === 'gzip' ? image.compressed : image.tar;
    expect([response.status, digestOf(response.body)]).toEqual([200, digestOf(expected)]);
    expect(response.header('Content-Length')).toBe(String(expected.length));
    expect(response.header('Accept-Ranges')).toBe('none');
  });

  it.each(['bytes=7-', 'bytes=0-0', 'bytes=999999-'])('has no parts (%s)', async (range) => {
    const image = running.registry.add(`parts/${range.replaceAll(/\W/g, '')}`, 'gzip', () => ({}));
    const { session, path } = await begin(image);
    const response = await session.get(path, [['Range', range]]);
    expect([response.status, digestOf(response.body)]).toEqual([200, digestOf(image.compressed)]);
    expect(image.requests.map((request) => request.range)).toEqual([undefined]);
  });

  it('is whole though the connection to the registry breaks', async () => {
    const image = running.registry.add('right/breaks', 'gzip', (nth) => ({
      breakAfter: [70_000, 90_000][nth] ?? 1e9,
    }));
    const { session, path } = await begin(image);
    const response = await session.get(path);
    expect([response.status, digestOf(response.body)]).toEqual([200, digestOf(image.compressed)]);
    expect(image.requests).toHaveLength(3);
  });

  it.each(wrong)('is never whole with %s', async (name, answer) => {
    const image = running.registry.add(
      `wrong/${digestOf(new TextEncoder().encode(name)).slice(7, 20)}`,
      'gzip',
      (_n, _f, layer) => answer(layer),
    );
    const { session, path } = await begin(image);
    const outcome = await session.get(path).then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    // A response that broke off, or an error before the first byte.
    expect(outcome === 502 || /before it was whole|ECONNRESET/.test(String(outcome)), String(outcome)).toBe(
      true,
    );
  });

  it.each(wrong)('is never whole by API v2 for Docker 1.6 with %s', async (name, answer) => {
    const repository = `v2/${digestOf(new TextEncoder().encode(name)).slice(7, 20)}`;
    const image = running.registry.add(repository, 'gzip', (_n, _f, layer) => answer(layer));
    const outcome = await rawRequest({
      port: running.server.port,
      method: 'GET',
      path: `/v2/${repository}/blobs/${digestOf(image.compressed)}`,
      headers: manifestRequestHeaders['Docker 1.6.2'],
    }).then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    expect(outcome === 502 || /before it was whole|ECONNRESET/.test(String(outcome)), String(outcome)).toBe(
      true,
    );
  });

  it.runIf(runtime === 'Node')('ends with a reset over HTTP/1.0 without a length', async () => {
    const image = running.registry.add('wrong/http10', 'gzip', (_n, _f, layer) => ({
      bytes: layer.map((byte) => byte ^ 1),
      headers: lengthless,
    }));
    const lines = [
      `GET /v2/${image.repository}/blobs/${digestOf(image.compressed)} HTTP/1.0`,
      'User-Agent: docker/1.6.2',
    ];
    const dial = { port: running.server.port, host: '127.0.0.1', allowHalfOpen: true };
    const socket = connect(dial, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    expect(await endOfConnection(socket)).toBe('ECONNRESET');
    expect(received).toBeLessThan(image.compressed.length + 1_000);
  });
});
