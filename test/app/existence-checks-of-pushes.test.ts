import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { layersOf } from '../support/pull.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const tags = {
  '1.0': 'sample/oci-zstd',
  '1.1': 'sample/oci',
  '1.2': 'sample/schema2',
  latest: 'sample/index',
};
const team = manyTags('team/app', tags);

const madeUp = (number: number) => `sha256:${number.toString(16).padStart(64, '0')}`;
const blob = (digest: string) => `/v2/team/app/blobs/${digest}`;
const lists = (asked: readonly string[]) => asked.filter((each) => each.endsWith('/tags/list'));

/** The requests to upstream: those for blobs, and the others. */
const others = (asked: readonly string[]) =>
  asked.filter((each) => !each.startsWith('HEAD /v2/team/app/blobs/'));

describe('a HEAD of a blob that the registry does not have', () => {
  it.each(['Docker 1.6.2', 'Docker 1.13.1', 'Docker 20.10', 'skopeo'] satisfies OldClient[])(
    'is an existence check of a push by %s: 404 after one request to upstream, for each of 20 layers',
    async (client) => {
      const upstream = scriptedUpstream(team);
      const app = testApp({}, upstream.fetch);
      for (let number = 0; number < 20; number += 1) {
        const response = await app.head(blob(madeUp(number)), manifestRequestHeaders[client]);
        expect(response.status).toBe(404);
      }
      expect(upstream.asked).toEqual(
        Array.from({ length: 20 }, (_, number) => `HEAD ${blob(madeUp(number))}`),
      );
    },
  );

  it('starts a search for Docker 1.9, which sends HEAD before a pull too: one in half a minute, however many layers', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({}, upstream.fetch);
    const docker19 = manifestRequestHeaders['Docker 1.9.1'];
    const push = (from: number) =>
      Promise.all(Array.from({ length: 20 }, (_, each) => app.head(blob(madeUp(from + each)), docker19)));
    const responses = [...(await push(0)), ...(await push(20))];
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([404]));
    expect(lists(upstream.asked)).toHaveLength(1);
    const before = others(upstream.asked).length;
    await push(40);
    expect(others(upstream.asked)).toHaveLength(before);
    app.advance(31);
    await push(60);
    expect(lists(upstream.asked)).toHaveLength(2);
  });

  it.each([403, 429, 500])(
    'lets Docker 1.9 push beside a tag that the registry answers with %i',
    async (status) => {
      const upstream = scriptedUpstream((request, url) =>
        url.pathname.endsWith('/manifests/1.1') ? specError(status, 'UNKNOWN') : team(request, url),
      );
      const app = testApp({}, upstream.fetch);
      const response = await app.head(blob(madeUp(1)), manifestRequestHeaders['Docker 1.9.1']);
      expect(response.status).toBe(404);
      expect(lists(upstream.asked)).toHaveLength(1);
    },
  );

  it('does not prevent the search of a later GET', async () => {
    const upstream = scriptedUpstream(team);
    const app = testApp({}, upstream.fetch);
    const docker19 = manifestRequestHeaders['Docker 1.9.1'];
    await app.head(blob(madeUp(1)), docker19);
    await app.head(blob(madeUp(2)), docker19);
    await app.get(blob(madeUp(2)), docker19);
    expect(lists(upstream.asked)).toHaveLength(2);
  });
});

describe('a replica with an empty cache', () => {
  it('sends Docker 1.9 the size of each layer that another replica derived, after one search', async () => {
    const docker19 = manifestRequestHeaders['Docker 1.9.1'];
    const manifest = await testApp({}, scriptedUpstream(team).fetch).get(
      '/v2/team/app/manifests/1.0',
      docker19,
    );
    const { fsLayers } = JSON.parse(manifest.text()) as { fsLayers: { blobSum: string }[] };
    const upstream = scriptedUpstream(team);
    const app = testApp({}, upstream.fetch);
    const sums = [...new Set(fsLayers.map(({ blobSum }) => blobSum))];
    const sizes = await Promise.all(sums.map((sum) => app.head(blob(sum), docker19)));
    expect(sizes.map(({ status }) => status)).toEqual(sums.map(() => 200));
    expect(lists(upstream.asked)).toHaveLength(1);
    for (const [index, sum] of sums.entries()) {
      const layer = await app.get(blob(sum), docker19);
      expect(layer.body).toHaveLength(Number(sizes[index]?.header('Content-Length')));
    }
  });

  it('sends Docker 20.10 each layer that another replica derived, by GET', async () => {
    const docker20 = manifestRequestHeaders['Docker 20.10'];
    const manifest = await testApp({}, scriptedUpstream(team).fetch).get(
      '/v2/team/app/manifests/1.0',
      docker20,
    );
    const app = testApp({}, scriptedUpstream(team).fetch);
    const layers = layersOf(manifest.body);
    expect(layers.length).toBeGreaterThan(0);
    for (const digest of layers) expect((await app.get(blob(digest), docker20)).status).toBe(200);
  });
});

describe('a HEAD before a push, which is left out where the registry has the manifest,', () => {
  const { schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
  const types = [schema2, dockerList, ociManifest, ociIndex].join(', ');
  const any = { 'User-Agent': 'containerd/1.6.20', Accept: `${types}, */*` };
  const pushers = [
    ['containerd', { 'User-Agent': 'containerd/1.6.20', Accept: `${ociManifest}, */*` }],
    ['crane', { 'User-Agent': 'crane/v0.20.2 go-containerregistry/v0.20.2', Accept: types }],
  ] as const;
  const tag = '/v2/team/app/manifests/1.1';

  /** A replica that has just served the tag and its digest, and a registry that others can change. */
  async function afterPull(pusher: Readonly<Record<string, string>>) {
    let script: Script = team;
    const upstream = scriptedUpstream((request, url) => script(request, url));
    const app = testApp({}, upstream.fetch);
    const pulled = await app.head(tag, pusher);
    await app.get(tag, pusher);
    const digest = pulled.header('Docker-Content-Digest') ?? '';
    await app.head(`/v2/team/app/manifests/${digest}`, any);
    const change = (changed: Script) => {
      script = changed;
    };
    return { app, digest, change };
  }

  it.each(pushers)('sees a tag that another client has moved: %s', async (_, pusher) => {
    const { app, digest, change } = await afterPull(pusher);
    change((request, url) => team(request, new URL(url.href.replace('/1.1', '/1.2'))));
    expect((await app.head(tag, any)).header('Docker-Content-Digest')).toBe(digest);
    const { header } = await app.head(tag, pusher);
    expect([header('Regshift-Source-Digest'), header('Docker-Content-Digest')]).not.toContain(digest);
  });

  it.each(pushers)('sees a deletion, of a digest too: %s', async (_, pusher) => {
    const { app, digest, change } = await afterPull(pusher);
    change(() => specError(404, 'MANIFEST_UNKNOWN'));
    for (const path of [`/v2/team/app/manifests/${digest}`, tag])
      expect((await app.head(path, pusher)).status).toBe(404);
  });

  it.each(pushers)('fails while the registry fails: %s', async (_, pusher) => {
    const { app, change } = await afterPull(pusher);
    change(() => specError(503, 'UNAVAILABLE'));
    expect((await app.head(tag, any)).status).toBe(200);
    expect((await app.head(tag, pusher)).status).toBe(503);
  });
});

describe('a HEAD of a manifest by its digest', () => {
  const { schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
  const containerd = (...types: string[]) => ({
    Accept: [...types, '*/*'].join(', '),
    'User-Agent': 'containerd/1.6.20~ds1',
  });
  const pulling = containerd(schema2, dockerList, ociManifest, ociIndex);

  it.each([
    ['containerd', '*/*'],
    ['the first containerd', '*'],
  ])(
    'with one accepted type is an existence check of a push by %s: 404 after one request to upstream',
    async (_, any) => {
      const upstream = scriptedUpstream(team);
      const app = testApp({}, upstream.fetch);
      for (const [number, type] of [schema2, dockerList, ociManifest, ociIndex].entries()) {
        const path = `/v2/team/app/manifests/${madeUp(number)}`;
        upstream.forget();
        expect((await app.head(path, { Accept: `${type}, ${any}` })).status).toBe(404);
        expect(upstream.asked).toEqual([`HEAD ${path}`]);
      }
    },
  );

  it('with all types accepted belongs to a pull: a replica with an empty cache finds the manifest of another replica', async () => {
    const manifest = await testApp({}, scriptedUpstream(team).fetch).head(
      '/v2/team/app/manifests/1.0',
      manifestRequestHeaders['Docker 20.10'],
    );
    const digest = manifest.header('Docker-Content-Digest');
    expect(manifest.header('Regshift-Conversion')).not.toBeNull();
    const app = testApp({}, scriptedUpstream(team).fetch);
    const old = { ...pulling, 'User-Agent': 'containerd/1.4.13' };
    const response = await app.head(`/v2/team/app/manifests/${digest}`, old);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
  });

  it('is 200 for a push too when this replica has derived the manifest', async () => {
    const app = testApp({}, scriptedUpstream(team).fetch);
    const docker113 = manifestRequestHeaders['Docker 1.13.1'];
    const manifest = await app.get('/v2/team/app/manifests/1.1', docker113);
    const digest = manifest.header('Docker-Content-Digest');
    const response = await app.head(`/v2/team/app/manifests/${digest}`, containerd(schema2));
    expect(response.status).toBe(200);
  });
});
