import { describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { testApp } from '../support/app.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore, storedKey } from '../support/memory-blob-store.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { compressedImage } from '../support/packed-image.ts';
import { pull } from '../support/pull.ts';
import { runtimeCodec } from '../support/runtime-codec.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { ancestry, idOfTag } from '../support/v1-pull.ts';
import { v1Session } from '../support/v1-session.ts';

const files = tar([{ kind: 'file', path: 'words', content: layerContent(600_000) }]);
const compressed = zstd(files, { contentSize: true, frames: 3 }).slice() as Uint8Array<ArrayBuffer>;
const image = compressedImage('team/app', [{ mediaType: mediaTypes.ociLayerZstd, compressed, tar: files }]);

const docker20 = manifestRequestHeaders['Docker 20.10'];
const docker17 = { 'User-Agent': v1Daemons['Docker 1.7.1'].userAgent };

const kinds = [
  ['a decompressed layer', 'made', digestOf(files)],
  ['a blob of the registry', 'all', digestOf(compressed)],
] as const;

describe.each(kinds)('%s whose stored bytes have changed', (_, kept, digest) => {
  const path = `/v2/team/app/blobs/${digest}`;

  /** A program whose store has the blob with another byte in its middle. */
  async function damaged(changes = 1) {
    const store = createMemoryBlobStore();
    const variables = { REGSHIFT_STORE_BLOBS: kept };
    const app = testApp(variables, scriptedUpstream(image).fetch, { store });
    await pull(app, 'Docker 20.10', 'team/app');
    await app.get(path);
    await app.settled();
    const right = store.blobs.get(storedKey(digest))?.slice() ?? new Uint8Array();
    const wrong = right.slice();
    wrong[1000] = (right[1000] ?? 0) ^ changes;
    store.blobs.set(storedKey(digest), wrong);
    return { app, store, variables, stored: wrong };
  }

  it('does not arrive whole at a client that verifies nothing, and is removed', async () => {
    const { app, store, stored } = await damaged();
    await expect(app.get(path, docker17)).rejects.toThrow('should be');
    await app.settled();
    expect(store.blobs.has(storedKey(digest))).toBe(false);
    const reason = `it has ${digestOf(stored)} (${stored.length} bytes), and not ${digest} (${stored.length} bytes)`;
    const message = 'a stored layer is damaged and was removed';
    expect(app.logged).toContainEqual({ level: 'warn', message, facts: { digest, reason } });
    const { status, body } = await app.get(path, docker17);
    expect([status, digestOf(body)]).toEqual([200, digest]);
  });

  it('is removed by the first pull after a start, also by a client that verifies', async () => {
    const { store, variables } = await damaged();
    const folder = { ...store, readsBack: true };
    const app = testApp(variables, scriptedUpstream(image).fetch, { store: folder });
    await app.get('/v2/team/app/manifests/latest', docker20);
    await expect(app.get(path, docker20)).rejects.toThrow('should be');
    await app.settled();
    expect(store.blobs.has(storedKey(digest))).toBe(false);
    const { status, body } = await app.get(path, docker20);
    expect([status, digestOf(body)]).toEqual([200, digest]);
  });

  it('is verified for one of the clients that read it at the same time', async () => {
    const { store, variables } = await damaged(0);
    const folder = { ...store, readsBack: true };
    const hash = vi.fn(runtimeCodec.hash);
    const platform = { store: folder, codec: { ...runtimeCodec, hash } };
    const app = testApp(variables, scriptedUpstream(image).fetch, platform);
    await app.get('/v2/team/app/manifests/latest', docker20);
    hash.mockClear();
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.get(path, docker20)));
    expect(answers.map(({ body }) => digestOf(body))).toEqual(Array(8).fill(digest));
    expect(hash).toHaveBeenCalledOnce();
  });

  it('arrives whole, and stays, if it is right', async () => {
    const { app, store } = await damaged(0);
    const { status, body, header } = await app.get(path, docker17);
    expect([status, digestOf(body)]).toEqual([200, digest]);
    expect(header('Content-Length')).toBe(String(body.length));
    expect(store.blobs.has(storedKey(digest))).toBe(true);
  });
});

it('a decompressed layer whose stored bytes have changed does not arrive whole by API v1', async () => {
  const digest = digestOf(files);
  const store = createMemoryBlobStore();
  const app = testApp({}, scriptedUpstream(image).fetch, { store });
  const session = v1Session({ daemon: v1Daemons['Docker 1.9.1'], http: app.send });
  const [id] = await ancestry(session, await idOfTag(session, 'team/app', 'latest'));
  const get = () => session.get(`images/${id}/layer`);
  expect(digestOf((await get()).body)).toBe(digest);
  await app.settled();
  expect(store.blobs.has(storedKey(digest))).toBe(true);
  store.blobs.set(
    storedKey(digest),
    files.map((byte, at) => (at === 1000 ? byte ^ 1 : byte)),
  );
  await expect(get()).rejects.toThrow('should be');
  await app.settled();
  expect(digestOf((await get()).body)).toBe(digest);
});
