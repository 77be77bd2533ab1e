import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore, storedKey } from '../support/memory-blob-store.ts';
import { compressedImage } from '../support/packed-image.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const name = 'team/app';
const files = tar([{ kind: 'file', path: 'words', content: layerContent(3_000) }]);
const compressed = zstd(files, { contentSize: true }).slice() as Uint8Array<ArrayBuffer>;
const [stored, made] = [digestOf(compressed), digestOf(files)];
const image = compressedImage(name, [{ mediaType: mediaTypes.ociLayerZstd, compressed, tar: files }]);
const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';
const theirs = { etag: '"theirs"', date: 'Mon, 05 May 2025 05:05:05 GMT' };

/** Answers a request for the stored blob as Go's ServeContent does, with the headers of a registry behind a cache. */
function storedBlob(request: Request): Response {
  const headers = new Headers({
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
    'Content-Type': 'application/octet-stream',
    ETag: theirs.etag,
    'Last-Modified': theirs.date,
    'RateLimit-Remaining': '99',
  });
  const answer = (status: number, body: Uint8Array<ArrayBuffer>, more: Record<string, string> = {}) => {
    for (const [key, value] of Object.entries({ 'Content-Length': String(body.length), ...more }))
      headers.set(key, value);
    return new Response(request.method === 'HEAD' || status === 304 ? null : body, { status, headers });
  };
  const known = request.headers.get('if-none-match');
  if (known === theirs.etag || known === '*') return answer(304, new Uint8Array(), { 'Content-Length': '0' });
  const condition = request.headers.get('if-range');
  const range =
    condition && ![theirs.etag, theirs.date].includes(condition) ? null : request.headers.get('range');
  if (range === null) return answer(200, compressed);
  const total = compressed.length;
  if (range.includes(',')) {
    return answer(206, compressed.slice(0, 9), { 'Content-Type': 'multipart/byteranges; boundary=THIS' });
  }
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const start = first === '' ? total - Number(last) : Number(first);
  const end = first === '' || last === '' ? total - 1 : Math.min(Number(last), total - 1);
  if (!/^bytes=\d*-\d*$/.test(range) || range === 'bytes=-' || start >= total || end < start) {
    return answer(416, new TextEncoder().encode('invalid range'), { 'Content-Range': `bytes */${total}` });
  }
  return answer(206, compressed.slice(start, end + 1), { 'Content-Range': `bytes ${start}-${end}/${total}` });
}

/** Alice may read; the registry refuses all others. */
const registry: Script = (request, url) => {
  if (request.headers.get('authorization') !== alice) {
    return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge }, 'authentication required');
  }
  return url.pathname === `/v2/${name}/blobs/${stored}` ? storedBlob(request) : image(request, url);
};

interface Place {
  readonly what: string;
  readonly digest: string;
  readonly etag: string;
  readonly variables?: Record<string, string>;
  /** The blob is in the store. */
  readonly isKept?: boolean;
  readonly headers?: Record<string, string>;
}

const all = { REGSHIFT_STORE_BLOBS: 'all' };
const ofUpstream = { digest: stored, etag: theirs.etag };
const ofRegshift = { digest: made, etag: `"${made}"` };
const docker16 = { 'User-Agent': 'docker/1.6.2 go/go1.4.2 git-commit/7c8fca2 os/linux arch/amd64' };
const places: readonly Place[] = [
  { what: 'a stored blob', ...ofUpstream },
  { what: 'a stored blob that the store does not have yet', ...ofUpstream, variables: all },
  { what: 'a stored blob in the store', ...ofUpstream, variables: all, isKept: true },
  {
    ...{ what: 'a stored blob in the store, with redirects', ...ofUpstream },
    ...{ variables: { ...all, REGSHIFT_BLOBS: 'redirect' }, isKept: true },
  },
  { what: 'a stored blob, for Docker 1.6', ...ofUpstream, headers: docker16 },
  {
    what: 'a stored blob in the store, for Docker 1.6',
    ...ofUpstream,
    variables: all,
    isKept: true,
    headers: docker16,
  },
  { what: 'a decompressed layer', ...ofRegshift },
  { what: 'a decompressed layer in the store', ...ofRegshift, isKept: true },
  { what: 'the empty layer', digest: emptyLayer.digest, etag: `"${emptyLayer.digest}"` },
];

const requests: readonly (readonly [what: string, (etag: string) => Record<string, string>])[] = [
  ['whole', () => ({})],
  ['one range', () => ({ Range: 'bytes=2-5' })],
  ['an open range', () => ({ Range: 'bytes=7-' })],
  ['a suffix', () => ({ Range: 'bytes=-5' })],
  ['several ranges', () => ({ Range: 'bytes=0-1,4-5' })],
  ['a range that is none', () => ({ Range: 'bytes=x' })],
  ['a range that ends before it starts', () => ({ Range: 'bytes=5-2' })],
  ['an unsatisfiable range', () => ({ Range: 'bytes=999999-' })],
  ['If-Range with the ETag', (etag) => ({ Range: 'bytes=2-5', 'If-Range': etag })],
  ['If-Range with the date', () => ({ Range: 'bytes=2-5', 'If-Range': theirs.date })],
  ['If-Range with another ETag', () => ({ Range: 'bytes=2-5', 'If-Range': '"other"' })],
  ['If-None-Match with the ETag', (etag) => ({ 'If-None-Match': etag })],
  ['If-None-Match with another ETag', () => ({ 'If-None-Match': '"other"' })],
  ['If-None-Match with any', () => ({ 'If-None-Match': '*', Range: 'bytes=2-5' })],
];

async function appWith({ variables = {}, isKept = false }: Place): Promise<TestApp> {
  const store = createMemoryBlobStore();
  const upstream = scriptedUpstream(registry);
  const app = testApp(variables, upstream.fetch, { store });
  const headers = { Authorization: alice, 'User-Agent': 'docker/20.10.0 go/go1.13.15' };
  await app.get(`/v2/${name}/manifests/latest`, headers);
  await app.settled();
  store.blobs.clear();
  if (isKept) {
    store.blobs.set(storedKey(stored), compressed);
    store.blobs.set(storedKey(made), files.slice() as Uint8Array<ArrayBuffer>);
  }
  return app;
}

const headersOf = ({ headers }: { readonly headers: Headers }) => Object.fromEntries(headers);

describe.each(places)('HEAD of $what is like GET', (place) => {
  const path = `/v2/${name}/blobs/${place.digest}`;

  it.each(requests)('%s', async (_, more) => {
    const app = await appWith(place);
    const headers = { ...place.headers, ...more(place.etag), Authorization: alice };
    const head = await app.head(path, headers);
    const get = await app.get(path, headers);
    expect([head.status, headersOf(head)]).toEqual([get.status, headersOf(get)]);
    expect(head.body).toHaveLength(0);
    expect(get.header('Content-Length') ?? '0').toBe(String(get.body.length));
  });

  it.each(requests)('%s, without the right to it', async (_, more) => {
    const app = await appWith(place);
    const headers = { ...place.headers, ...more(place.etag), Authorization: bob };
    const head = await app.head(path, headers);
    const get = await app.get(path, headers);
    const { 'content-length': length, ...others } = headersOf(get);
    expect([head.status, headersOf(head)]).toEqual([401, others]);
    expect(length).toBe(String(get.body.length));
  });
});

describe('a part of a stored blob', () => {
  it('goes on from the store where it began at the registry, and the other way round', async () => {
    const path = `/v2/${name}/blobs/${stored}`;
    const parts: Uint8Array[] = [];
    for (const [isKept, range] of [
      [false, 'bytes=0-99'],
      [true, 'bytes=100-199'],
      [false, 'bytes=200-'],
    ] as const) {
      const app = await appWith({ what: '', ...ofUpstream, variables: all, isKept });
      const headers = { Authorization: alice, Range: range, 'If-Range': theirs.etag };
      const part = await app.get(path, headers);
      expect([part.status, part.header('ETag')]).toEqual([206, theirs.etag]);
      parts.push(part.body);
    }
    expect(digestOf(Uint8Array.from(parts.flatMap((part) => [...part])))).toBe(stored);
  });
});

describe('HEAD of a stored blob, with a store of all blobs', () => {
  it('is one request to the registry and none to the store', async () => {
    const store = createMemoryBlobStore();
    const upstream = scriptedUpstream(registry);
    const app = testApp(all, upstream.fetch, { store });
    const path = `/v2/${name}/blobs/${stored}`;
    expect((await app.head(path, { Authorization: alice })).status).toBe(200);
    expect(upstream.asked).toEqual([`HEAD ${path}`]);
    expect(store.lookups).toBe(0);
  });
});
