import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { compressionOf } from '../../src/layers/compression.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { testApp } from '../support/app.ts';
import { concatenated } from '../support/byte-streams.ts';
import { layerContent } from '../support/layer-content.ts';
import type { OldClient } from '../support/old-clients.ts';
import { compressedLength, gzipMembers, zstdFrames } from '../support/packed-content.ts';
import { type CompressedLayer, compressedImage } from '../support/packed-image.ts';
import { layersOf, pull } from '../support/pull.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { ociLayer, ociLayerGzip, ociLayerZstd } = mediaTypes;
const content = layerContent(compressedLength);
const files = tar([{ kind: 'file', path: 'words', content }]);
const nothing = new Uint8Array();
/** An empty tar: two blocks of zeros (pax, "ustar Interchange Format"). */
const noFiles = new Uint8Array(1024);
const sized = { contentSize: true };
const streamed = { contentSize: false };

const own = (bytes: Uint8Array) => bytes.slice() as Uint8Array<ArrayBuffer>;
const layer = (mediaType: string, compressed: Uint8Array, of: Uint8Array): CompressedLayer => ({
  mediaType,
  compressed: own(compressed),
  tar: of,
});

const compressions: Readonly<Record<string, CompressedLayer>> = {
  'a plain tar': layer(ociLayer, files, files),
  gzip: layer(ociLayerGzip, gzip(files), files),
  'gzip by zlib, of two members': layer(ociLayerGzip, concatenated(...gzipMembers), content),
  'zstd with a content size': layer(ociLayerZstd, zstd(files, sized), files),
  'zstd without a content size': layer(ociLayerZstd, zstd(files, streamed), files),
  'zstd of several frames': layer(ociLayerZstd, zstd(files, { ...streamed, frames: 5 }), files),
  'zstd by libzstd, of two frames': layer(ociLayerZstd, concatenated(...zstdFrames), content),
  'zstd:chunked': layer(ociLayerZstd, zstd(files, { ...sized, frames: 9, skippable: 'last' }), files),
  'zstd by pzstd': layer(ociLayerZstd, zstd(files, { ...sized, frames: 3, skippable: 'first' }), files),
  'an empty plain tar': layer(ociLayer, noFiles, noFiles),
  'gzip of an empty tar': layer(ociLayerGzip, gzip(noFiles), noFiles),
  'zstd of an empty tar': layer(ociLayerZstd, zstd(noFiles, sized), noFiles),
  'gzip labelled zstd': layer(ociLayerZstd, gzip(files), files),
  'a plain tar labelled zstd': layer(ociLayerZstd, files, files),
  'zstd of no bytes': layer(ociLayerZstd, zstd(nothing, streamed), nothing),
};

const clients: readonly OldClient[] = [
  'Docker 1.6.2',
  'Docker 1.9.1',
  'Docker 1.13.1',
  'Docker 20.10',
  'skopeo',
  'containerd HEAD',
];
const readsZstd = (client: OldClient) => !client.startsWith('Docker');

const cells = Object.entries(compressions).flatMap(([compression, each]) =>
  clients.map((client) => ({ compression, each, client })),
);

/** An image with a layer below and above the tested one, so that layers in the wrong order are noticed. */
function appOver(each: CompressedLayer) {
  const base = tar([{ kind: 'directory', path: 'base' }]);
  const top = tar([{ kind: 'directory', path: 'top' }]);
  const image = [layer(ociLayerGzip, gzip(base), base), each, layer(ociLayerZstd, zstd(top, sized), top)];
  const upstream = scriptedUpstream(compressedImage('team/packed', image));
  return { app: testApp({}, upstream.fetch), image };
}

describe.each(cells)('$client gets $compression', ({ each, client }) => {
  const zstdIn = each.mediaType === ociLayerZstd && compressionOf(each.compressed) === 'zstd';
  const expected = zstdIn && !readsZstd(client) ? each.tar : each.compressed;

  it('as a layer that it can decompress, with the files of the stored layer', async () => {
    const { app } = appOver(each);
    const { root, blobs } = await pull(app, client, 'team/packed');
    const inOrder = root.header('Content-Type') === mediaTypes.schema1Signed ? 'newest' : 'base';
    const layers = inOrder === 'newest' ? layersOf(root.body).toReversed() : layersOf(root.body);
    expect(layers[1]).toBe(digestOf(expected));
    expect(blobs.get(digestOf(expected))).toEqual(expected);
  });

  it('by HEAD with its exact length, and by Range in parts', async () => {
    const { app } = appOver(each);
    await pull(app, client, 'team/packed');
    const path = `/v2/team/packed/blobs/${digestOf(expected)}`;
    expect((await app.head(path)).header('Content-Length')).toBe(String(expected.length));
    const middle = Math.floor(expected.length / 2);
    const parts: readonly [string, Uint8Array][] = [
      [`bytes=${middle}-`, expected.slice(middle)],
      [`bytes=0-${middle}`, expected.slice(0, middle + 1)],
      ['bytes=-7', expected.slice(Math.max(0, expected.length - 7))],
    ];
    for (const [Range, part] of expected.length === 0 ? [] : parts) {
      const response = await app.get(path, { Range });
      expect([response.status, response.body]).toEqual([206, part]);
    }
  });
});
