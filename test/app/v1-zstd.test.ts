import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { builtRepository, json, layerWith } from '../support/built-repository.ts';
import { manyTags } from '../support/many-tags.ts';
import { type Script, scriptedUpstream, type Upstream } from '../support/scripted-upstream.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { decompressedV1, pullV1 } from '../support/v1-pull.ts';

const sample = 'sample/oci-zstd';
const daemon = v1Daemons['Docker 1.7.1'];

function over(script?: Script, variables: Record<string, string> = {}): { app: TestApp; upstream: Upstream } {
  const upstream = scriptedUpstream(script);
  return { upstream, app: testApp(variables, upstream.fetch) };
}

async function storedLayers(app: TestApp): Promise<string[]> {
  const manifest = await app.get(`/v2/${sample}/manifests/latest`, { Accept: '*/*' });
  const { layers } = JSON.parse(manifest.text()) as { layers: { digest: string }[] };
  return layers.map(({ digest }) => digest);
}

describe('layers that are stored as zstd', () => {
  it('are read once for the image that a pull begins with, and not for all tags', async () => {
    const layers = await storedLayers(testApp());
    const { app, upstream } = over(manyTags('team/app', { a: 'sample/index-zstd', latest: sample }));
    const read = () =>
      upstream.asked.filter((each) => each.startsWith('GET') && layers.some((layer) => each.endsWith(layer)));
    expect((await app.get('/v1/repositories/team/app/tags')).status).toBe(200);
    expect((await app.get('/v1/repositories/team/app/tags/latest')).status).toBe(200);
    expect(upstream.asked.filter((each) => each.includes('/blobs/'))).toHaveLength(2);
    expect(read()).toEqual([]);
    expect((await app.get('/v1/repositories/team/app/images')).status).toBe(200);
    expect(read()).toHaveLength(layers.length);
    expect((await app.get('/v1/repositories/team/app/images')).status).toBe(200);
    expect(read()).toHaveLength(layers.length);
  });

  it('of another tag are read when they are requested', async () => {
    const { app, upstream } = over(manyTags('team/app', { other: sample, latest: 'sample/oci' }));
    const { layers } = await pullV1({ daemon, http: app.send }, 'team/app', 'other');
    for (const layer of layers.values()) await decompressedV1(layer);
    // The source of a layer is known, and needs no search of all tags.
    expect(upstream.asked.filter((each) => each.endsWith('/tags/list'))).toHaveLength(1);
  });

  it('of a generic manifest are found by the order of its config', async () => {
    const built = builtRepository('team/app');
    const [base, top] = [layerWith('base'), layerWith('top')];
    const rootfs = { type: 'layers', diff_ids: [base.diffId, top.diffId] };
    const target = built.blob(mediaTypes.dockerConfig, json({ os: 'linux', architecture: 'amd64', rootfs }));
    const dependencies = [zstd(top.tar, { contentSize: true }), base.tar].map((bytes) =>
      built.blob(mediaTypes.genericLayer, bytes),
    );
    const { app } = over(
      built.serve(built.manifest(mediaTypes.generic, { schemaVersion: 2, target, dependencies })),
    );
    const { ids, layers } = await pullV1({ daemon, http: app.send }, 'team/app', 'latest');
    const [newest, oldest] = ids.map((id) => layers.get(id) ?? new Uint8Array());
    expect(await decompressedV1(newest ?? new Uint8Array())).toEqual(top.tar);
    expect(await decompressedV1(oldest ?? new Uint8Array())).toEqual(base.tar);
  });

  it('that take longer than a client waits are 406 with the time to pull again', async () => {
    const layers = await storedLayers(testApp());
    const never: Script = (request, url) =>
      request.method === 'GET' && layers.some((layer) => url.pathname.endsWith(layer))
        ? new Promise<Response>(() => {})
        : undefined;
    const { app } = over(never, { REGSHIFT_MEASURE_DEADLINE: '0' });
    const response = await app.get(`/v1/repositories/${sample}/images`);
    expect([response.status, JSON.parse(response.text())]).toEqual([
      406,
      {
        error: expect.stringMatching(
          /must read the layers .* It is reading layer \d+ of \d+.*Pull again in about \d+ s/,
        ),
      },
    ]);
    expect(response.header('Retry-After')).toMatch(/^\d+$/);
  });

  it('that do not match the config are not served', async () => {
    const { app } = over(await lyingConfig());
    const response = await app.get(`/v1/repositories/${sample}/images`);
    expect([response.status, JSON.parse(response.text())]).toEqual([
      406,
      { error: expect.stringContaining('not what the config says') },
    ]);
  });
});

/** The sample with a config that names other layers. */
async function lyingConfig(): Promise<Script> {
  const app = testApp();
  const manifest = JSON.parse(
    (await app.get(`/v2/${sample}/manifests/latest`, { Accept: '*/*' })).text(),
  ) as {
    config: { digest: string; size: number };
  };
  const config = await app.get(`/v2/${sample}/blobs/${manifest.config.digest}`);
  const lie = config.text().replace(/"diff_ids":\["sha256:[0-9a-f]{4}/, '"diff_ids":["sha256:0000');
  const bytes = new TextEncoder().encode(lie);
  manifest.config = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
  const body = JSON.stringify(manifest);
  const digest = digestOf(new TextEncoder().encode(body));
  return (_, { pathname }) => {
    const path = pathname.replace(`/v2/${sample}/`, '');
    if (path === `blobs/${manifest.config.digest}`) return new Response(lie);
    const headers = {
      'Docker-Content-Digest': digest,
      'Content-Type': 'application/vnd.oci.image.manifest.v1+json',
    };
    return ['manifests/latest', 'manifests/1.0'].includes(path) || path === `manifests/${digest}`
      ? new Response(body, { headers })
      : undefined;
  };
}
