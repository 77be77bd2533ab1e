import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** Blobs of schema 2 that upstream does not have: a decompressed layer, and a config that is derived from schema 1. */
const kinds = [
  { kind: 'a decompressed layer', sample: 'sample/oci-zstd' },
  { kind: 'a derived config', sample: 'sample/schema1' },
] as const;

describe.each(kinds)('HEAD of $kind', ({ kind, sample }) => {
  async function pulled(script?: Script) {
    const upstream = scriptedUpstream(script);
    const app = testApp({}, upstream.fetch);
    const manifest = await app.get(`/v2/${sample}/manifests/latest`, {
      Accept: mediaTypes.schema2,
      Authorization: alice,
    });
    const { config, layers } = JSON.parse(manifest.text()) as { config: Descriptor; layers: Descriptor[] };
    const made = kind === 'a derived config' ? config : (layers[1] ?? { digest: '', size: 0 });
    return { upstream, app, path: `/v2/${sample}/blobs/${made.digest}`, size: made.size };
  }

  it('checks this blob upstream, and then has the headers of GET', async () => {
    const { upstream, app, path, size } = await pulled(privateTo(alice));
    upstream.forget();
    const head = await app.head(path, { Authorization: alice });
    expect([head.status, head.header('Content-Length')]).toEqual([200, String(size)]);
    expect(upstream.asked).toEqual([`HEAD ${path}`]);
    expect(upstream.carried).toEqual([alice]);
    const get = await app.get(path, { Authorization: alice });
    expect([...head.headers]).toEqual([...get.headers]);
  });

  it('has the headers of GET when upstream has the blob too', async () => {
    const { upstream, app, path, size } = await pulled();
    upstream.follow((_request, url) =>
      url.pathname === path
        ? new Response(new Uint8Array(size), {
            headers: { 'Content-Length': String(size), Etag: '"theirs"' },
          })
        : undefined,
    );
    const [head, get] = [await app.head(path), await app.get(path)];
    expect(head.status).toBe(200);
    expect([...head.headers]).toEqual([...get.headers]);
  });

  it.each([401, 403])('passes on a %i, whatever the client may read', async (status) => {
    const { upstream, app, path } = await pulled();
    upstream.follow((_request, url) => (url.pathname === path ? specError(status, 'DENIED') : undefined));
    expect((await app.head(path)).status).toBe(status);
  });

  it('is 404 for a client that may not read its source', async () => {
    const { upstream, app, path } = await pulled();
    upstream.follow((request, url) => {
      const whose = request.headers.get('authorization');
      const isManifest = url.pathname.includes('/manifests/');
      return isManifest && whose === bob ? specError(404, 'MANIFEST_UNKNOWN') : undefined;
    });
    app.advance(31);
    expect((await app.head(path, { Authorization: bob })).status).toBe(404);
  });

  it('is 200 while upstream fails', async () => {
    const { upstream, app, path } = await pulled();
    upstream.follow((_request, url) =>
      url.pathname === path ? new Response(null, { status: 503 }) : undefined,
    );
    expect((await app.head(path)).status).toBe(200);
  });
});
