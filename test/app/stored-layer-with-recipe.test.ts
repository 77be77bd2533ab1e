import { expect, it } from 'vitest';
import { sampleImage } from '../../src/sample-registry/image.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const repository = '/v2/sample/oci-zstd';

/** A proxy that has a recipe for the tar inside a zstd layer: decompress the layer. */
async function withRecipe() {
  const [layer] = sampleImage('sample/oci-zstd').layers;
  const tar = layer?.tar as Uint8Array<ArrayBuffer>;
  const upstream = scriptedUpstream();
  const app = testApp({}, upstream.fetch);
  expect((await app.get(`${repository}/manifests/latest`, docker19)).status).toBe(200);
  return { tar, blob: `${repository}/blobs/${layer?.diffId}`, upstream, app };
}

function stored(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { headers: { 'Content-Length': String(bytes.length) } });
}

it('a stored layer is served although the zstd layer of the same content was deleted', async () => {
  const { tar, blob, upstream, app } = await withRecipe();
  expect((await app.get(blob)).body).toEqual(new Uint8Array(tar));

  // The image with the zstd layer is deleted, and another image has the layer as a plain tar.
  upstream.follow((_, { pathname }) => {
    if (pathname === blob) return stored(tar);
    return pathname.includes('/blobs/') ? specError(404, 'BLOB_UNKNOWN') : undefined;
  });
  const response = await app.get(blob);
  expect(response.status).toBe(200);
  expect(response.body).toEqual(new Uint8Array(tar));
});

it('a stored layer is served where the recipe of the same digest fails', async () => {
  const { tar, blob, upstream, app } = await withRecipe();

  // The registry now sends other bytes for the zstd layer.
  const broken = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff);
  upstream.follow((_, { pathname }) => {
    if (pathname === blob) return specError(404, 'BLOB_UNKNOWN');
    return pathname.includes('/blobs/') ? new Response(broken) : undefined;
  });
  expect([(await app.get(blob)).status, (await app.get(blob)).error().code]).toEqual([
    502,
    'MANIFEST_INVALID',
  ]);
  upstream.follow((_, { pathname }) => {
    if (pathname === blob) return stored(tar);
    return pathname.includes('/blobs/') ? new Response(broken) : undefined;
  });
  const response = await app.get(blob);
  expect([response.status, response.body]).toEqual([200, new Uint8Array(tar)]);
});
