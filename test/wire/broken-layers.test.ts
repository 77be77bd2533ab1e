import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { type BreakingImage, type LayerScript, useBreakingRegistry } from '../support/breaking-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { serveOnNode, serveOnWorkerd } from '../support/wire-server.ts';

const headers = manifestRequestHeaders['Docker 1.13.1'];

/** Bytes of a body that a runtime reads ahead, and drops when the body breaks off. */
const buffered = 131_072;

/** Breaks off the first responses after so many bytes each. */
const breaksAfter =
  (...bytes: readonly number[]): LayerScript =>
  (nth) => ({ breakAfter: bytes[nth] ?? Number.POSITIVE_INFINITY });

/** Positions in the first, the middle and the last part of what is left, which differ from run to run. */
const anywhere = () =>
  [0.2, 0.4, 0.6].map((part) => Math.floor(300_000 * part * (0.2 + 0.5 * Math.random())));

const other = (layer: Uint8Array) => layer.map((byte, at) => (at > layer.length - 1000 ? byte ^ 1 : byte));

describe.each([
  { runtime: 'Node', start: serveOnNode },
  { runtime: 'workerd', start: serveOnWorkerd },
])('a layer whose connection breaks, on $runtime', ({ start }) => {
  const running = useBreakingRegistry(start);

  const get = (path: string) =>
    rawRequest({ port: running.server.port, method: 'GET', path, headers, deadline: 20_000 });
  const manifest = ({ repository }: BreakingImage) => get(`/v2/${repository}/manifests/latest`);
  const layer = ({ repository, tar }: BreakingImage) => get(`/v2/${repository}/blobs/${digestOf(tar)}`);
  const text = ({ body, header }: RawResponse) =>
    new TextDecoder().decode(header('Content-Encoding') === 'gzip' ? gunzipSync(body) : body);

  /** Each request begins where the one before broke off, except for what was in a buffer then. */
  function expectResumed({ requests, compressed }: BreakingImage, breaks: number): void {
    expect(requests).toHaveLength(breaks + 1);
    let end = 0;
    for (const { range, sent } of requests) {
      const first = Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]);
      expect(first).toBeLessThanOrEqual(end);
      expect(first).toBeGreaterThanOrEqual(end - buffered);
      end = first + sent;
    }
    expect(end).toBe(compressed.length);
  }

  it.each([1, 2, 3])('is read on for a conversion (%i breaks)', async (breaks) => {
    const at = anywhere().slice(0, breaks);
    const image = running.registry.add(`read/breaks-${breaks}`, 'zstd', breaksAfter(...at));
    expect((await manifest(image)).status, `breaks after ${at}`).toBe(200);
    expectResumed(image, breaks);
  });

  it('is read on after resets', async () => {
    const at = anywhere();
    const script: LayerScript = (nth, ...rest) => ({ ...breaksAfter(...at)(nth, ...rest), resets: true });
    const image = running.registry.add('read/resets', 'zstd', script);
    expect((await manifest(image)).status, `resets after ${at}`).toBe(200);
    expectResumed(image, at.length);
  });

  it('is read on for a client that gets it decompressed', async () => {
    const at = anywhere();
    // The first request is for the conversion.
    const image = running.registry.add(
      'download/breaks',
      'zstd',
      breaksAfter(Number.POSITIVE_INFINITY, ...at),
    );
    expect((await manifest(image)).status).toBe(200);
    const downloads = image.requests.length;
    const response = await layer(image);
    expect([response.status, digestOf(response.body)], `breaks after ${at}`).toEqual([
      200,
      digestOf(image.tar),
    ]);
    expectResumed({ ...image, requests: image.requests.slice(downloads) }, at.length);
  });

  it('is read on at the storage that the registry names then, since signed URLs expire', async () => {
    const image = running.registry.add('read/redirects', 'zstd', breaksAfter(100_000, 100_000), true);
    expect((await manifest(image)).status).toBe(200);
    expectResumed(image, 2);
    for (const { url } of image.requests) expect(url).toMatch(/^\/v2\/read\/redirects\/blobs\//);
  });

  it('is read from its start where the registry ignores Range, and the bytes count once', async () => {
    const image = running.registry.add('read/whole', 'zstd', (nth) => ({
      status: 200,
      breakAfter: [80_000, 200_000][nth] ?? Number.POSITIVE_INFINITY,
    }));
    expect((await manifest(image)).status).toBe(200);
    const ranges = image.requests.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    expect(ranges).toHaveLength(3);
    expect(ranges).toEqual(ranges.toSorted((one, next) => one - next));
    expect(ranges[2]).toBeLessThanOrEqual(200_000);
  });

  it('is whole if the connection breaks after the last byte', async () => {
    const image = running.registry.add('read/416', 'zstd', (_, from, { length }) => {
      if (from === length) return { status: 416, headers: { 'content-range': `bytes */${length}` } };
      const lengthless = { 'content-length': null, 'content-range': `bytes ${from}-${length - 1}/*` };
      return { headers: lengthless, breaksAtEnd: true };
    });
    expect((await manifest(image)).status).toBe(200);
    expect(image.requests.at(-1)?.range).toBe(`bytes=${image.compressed.length}-`);
  });

  it('is not converted if the rest is of other bytes', async () => {
    const image = running.registry.add('read/other', 'zstd', (nth, _, bytes) =>
      nth === 0 ? { breakAfter: 90_000 } : { bytes: other(bytes) },
    );
    const response = await manifest(image);
    expect([response.status, text(response)]).toEqual([
      502,
      expect.stringContaining('came with other content'),
    ]);
    expect(image.requests).toHaveLength(2);
  });

  it('is never whole for a client if the rest is of other bytes', async () => {
    const image = running.registry.add('download/other', 'zstd', (nth, _, bytes) => {
      if (nth === 0) return {};
      return nth === 1 ? { breakAfter: 90_000 } : { bytes: other(bytes) };
    });
    expect((await manifest(image)).status).toBe(200);
    await expect(layer(image)).rejects.toThrow();
    expect(image.requests).toHaveLength(3);
  });

  const misfits: readonly [string, LayerScript, string][] = [
    ['416', () => ({ status: 416 }), 'has the status 416'],
    [
      'another part',
      (_, from) => ({ headers: { 'content-range': `bytes ${from + 1}-9/300000` } }),
      'does not fit',
    ],
    ['an unreadable part', () => ({ headers: { 'content-range': 'bytes' } }), 'does not fit'],
    ['no Content-Range', () => ({ headers: { 'content-range': null } }), 'does not fit'],
    ['another size', () => ({ status: 200, bytes: new Uint8Array(10) }), 'a length of 10 bytes'],
    ['404', () => ({ status: 404 }), 'Upstream answered 404'],
  ];
  it.each(misfits)(
    'fails at once if the answer to the second request is %s',
    async (name, second, message) => {
      const repository = `misfit/${name.toLowerCase().replaceAll(' ', '-')}`;
      const image = running.registry.add(repository, 'zstd', (nth, from, bytes) =>
        nth === 0 ? { breakAfter: 90_000 } : second(nth, from, bytes),
      );
      const response = await manifest(image);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(text(response)).toContain(message);
      expect(image.requests).toHaveLength(2);
    },
  );

  it('fails after five requests for the rest within a MiB', async () => {
    const image = running.registry.add('read/never', 'zstd', () => ({ breakAfter: 1_000 }));
    const response = await manifest(image);
    expect([response.status, text(response)]).toEqual([
      502,
      expect.stringContaining('Upstream broke off before'),
    ]);
    expect(image.requests).toHaveLength(6);
    expect(image.requests.map(({ sent }) => sent)).toEqual(Array(6).fill(1_000));
  });
});
