import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { compressedImage } from '../support/packed-image.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

/** Docker 20.10 cannot decompress zstd: its manifest waits until the layers are read. */
const docker20 = manifestRequestHeaders['Docker 20.10'];
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;
const quota = 'quota of project acme is spent';

type LayerResponse = (repository: string, request: Request) => Promise<Response | undefined>;

/** A registry whose repositories `acme/secret` and `bob/app` hold the same image, with zstd layers. */
function twoRepositories(layer: LayerResponse) {
  const samples = createSampleRegistry();
  return scriptedUpstream(async (request, url) => {
    const [, repository = '', rest = ''] = /^\/v2\/(acme\/secret|bob\/app)\/(.+)$/.exec(url.pathname) ?? [];
    if (repository === '') return undefined;
    const isLayer = rest.startsWith('blobs/') && request.method === 'GET';
    const response = () =>
      samples.fetch(`${upstreamUrl}/v2/sample/oci-zstd/${rest}`, {
        method: request.method,
        headers: request.headers,
      });
    const stored = await response();
    const isLarge = Number(stored.headers.get('content-length')) > 1_000;
    return (isLayer && isLarge ? await layer(repository, request) : undefined) ?? stored;
  });
}

/** Both send their requests at once; Alice's is first, so that Bob's joins the reading that hers began. */
async function both(layer: LayerResponse) {
  const upstream = twoRepositories(layer);
  const app = testApp({}, upstream.fetch);
  const ofAlice = app.get('/v2/acme/secret/manifests/latest', [...docker20, alice]);
  const ofBob = app.get('/v2/bob/app/manifests/latest', [...docker20, bob]);
  return { alice: await ofAlice, bob: await ofBob };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('a layer in two repositories', () => {
  it.each([401, 403, 404, 429, 500])(
    'is read from one repository when the other responds %i, and no message names the other',
    async (status) => {
      const responses = await both(async (repository) => {
        await pause();
        return repository === 'acme/secret' ? specError(status, 'DENIED', {}, quota) : undefined;
      });
      expect(responses.bob.status).toBe(200);
      expect(responses.alice.status).not.toBe(200);
      expect(responses.alice.text()).toContain(quota);
    },
  );

  it('is refused to each client with the message of its own repository', async () => {
    const responses = await both(async (repository) => {
      await pause();
      return specError(403, 'DENIED', {}, `no pulls from ${repository} today`);
    });
    expect(responses.bob.error().message).toContain('no pulls from bob/app today');
    expect(responses.bob.text()).not.toContain('acme');
    expect(responses.alice.text()).not.toContain('bob/app');
  });

  it('is read from one repository when the other sends wrong bytes', async () => {
    const responses = await both(async (repository) => {
      await pause();
      return repository === 'acme/secret' ? new Response(new Uint8Array(2_000)) : undefined;
    });
    expect(responses.bob.status).toBe(200);
    expect(responses.alice.status).toBe(502);
  });
});

it('a layer without a byte is in both repositories, although a registry has no first byte of it', async () => {
  const layer = { mediaType: mediaTypes.ociLayerZstd, compressed: new Uint8Array(), tar: new Uint8Array() };
  const images = ['team/one', 'team/two'].map((repository) => compressedImage(repository, [layer]));
  const upstream = scriptedUpstream((request, url) =>
    images.map((image) => image(request, url)).find((response) => response !== undefined),
  );
  const app = testApp({}, upstream.fetch);
  const types = [];
  for (const repository of ['team/one', 'team/two']) {
    const { status, body } = await app.get(`/v2/${repository}/manifests/latest`, docker20);
    const { layers } = JSON.parse(new TextDecoder().decode(body)) as { layers?: { mediaType: string }[] };
    types.push([status, layers?.map(({ mediaType }) => mediaType)]);
  }
  expect(types).toEqual([
    [200, [mediaTypes.ociLayer]],
    [200, [mediaTypes.ociLayer]],
  ]);
});
