import { Readable } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { createNodeLayerCodec } from '../../../../src/runtime/node/layers/codec.ts';
import { tar } from '../../../../src/sample-registry/tar.ts';
import { testApp } from '../../../support/app.ts';
import { layerContent } from '../../../support/layer-content.ts';
import { compressedImage } from '../../../support/packed-image.ts';
import { pull } from '../../../support/pull.ts';
import { scriptedUpstream } from '../../../support/scripted-upstream.ts';

const MiB = 2 ** 20;
const files = tar([{ kind: 'file', path: 'words', content: layerContent(200_000) }]);
const params = { [constants.ZSTD_c_windowLog]: 27 };
const compressed = new Uint8Array(
  Buffer.concat(await Readable.from([files]).pipe(createZstdCompress({ params })).toArray()),
);
const path = `/v2/team/packed/blobs/${digestOf(files)}`;

/** A proxy all of whose memory for downloads is lent. */
async function busyApp() {
  const codec = createNodeLayerCodec({ windowBudget: 128 * MiB, patienceMs: 50 });
  const image = compressedImage('team/packed', [
    { mediaType: mediaTypes.ociLayerZstd, compressed, tar: files },
  ]);
  const upstream = scriptedUpstream(image);
  const app = testApp({}, upstream.fetch, { codec });
  await pull(app, 'Docker 1.13.1', 'team/packed');
  const request = { bytes: 128 * MiB, owner: ['another', ''] };
  const giveBack = await codec.zstd.limits?.downloads.take(request, new AbortController().signal);
  return { app, giveBack: () => giveBack?.(), upstream };
}

describe('while all memory for downloads is lent', () => {
  it.each([{}, { Range: 'bytes=1000-' }, { Range: 'bytes=-1' }])(
    'a request (%j) is told when to come back, and succeeds then',
    async (headers) => {
      const { app, giveBack } = await busyApp();
      const refused = await app.get(path, headers);
      expect([refused.status, refused.header('Retry-After')]).toEqual([503, '10']);
      expect(refused.error()).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(
          /^Cannot decompress layer sha256:\w+ now: .*Try again in 10 seconds\.$/,
        ),
      });
      giveBack();
      expect((await app.get(path, headers)).status).toBe('Range' in headers ? 206 : 200);
    },
  );

  it('HEAD and If-None-Match wait for nothing, and upstream is not asked for the layer', async () => {
    const { app, upstream } = await busyApp();
    upstream.forget();
    const head = await app.head(path);
    expect([head.status, head.header('Content-Length')]).toEqual([200, String(files.length)]);
    expect((await app.get(path, { 'If-None-Match': `"${digestOf(files)}"` })).status).toBe(304);
    expect(upstream.asked.filter((each) => each.includes(digestOf(compressed)))).toEqual([]);
  });

  it('a layer is still read for a conversion', async () => {
    const { upstream, app } = await busyApp();
    const other = tar([{ kind: 'file', path: 'more', content: layerContent(100_000) }]);
    const bytes = new Uint8Array(
      Buffer.concat(await Readable.from([other]).pipe(createZstdCompress({ params })).toArray()),
    );
    const layer = { mediaType: mediaTypes.ociLayerZstd, compressed: bytes, tar: other };
    upstream.follow(compressedImage('team/other', [layer]));
    const accept = { Accept: mediaTypes.schema2 };
    expect((await app.get('/v2/team/other/manifests/latest', accept)).status).toBe(200);
  });
});
