import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';
import { rawRequest } from '../support/raw-http.ts';
import { type Route, startRoute } from '../support/route.ts';
import { readSignedSchema1 } from '../support/signed-schema1.ts';

/** Samples of each stored form except schema 1, which needs no conversion. */
const converted = [
  'sample/schema2',
  'sample/schema2-empty-layers',
  'sample/schema2-plain-tar',
  'sample/list',
  'sample/oci',
  'sample/oci-no-history',
  'sample/oci-zstd',
  'sample/index',
  'sample/index-arm',
  'sample/index-zstd',
  'sample/generic',
  'sample/generic-993',
  'sample/generic-v1-target',
  'sample/fat-generic',
  'sample/fat-generic-table',
];

describe.skipIf(requirePeers('docker-registry'))('docker-registry, given converted schema 1', () => {
  let stored: DockerRegistry;
  let verifier: DockerRegistry;
  let route: Route;
  beforeAll(async () => {
    stored = await startDockerRegistry({ samples: converted });
    verifier = await startDockerRegistry({ schema1Enabled: true });
    route = await startRoute(stored.url);
  });
  afterAll(async () => {
    await route?.stop();
    await verifier?.stop();
    await stored?.stop();
  });

  /** Sends the request of Docker up to 1.9: without Accept. */
  const get = async (path: string) => {
    const answer = await rawRequest({ port: route.relay.port, method: 'GET', path, headers: [] });
    expect(answer.status, `${path}: ${new TextDecoder().decode(answer.body.subarray(0, 500))}`).toBe(200);
    return answer;
  };

  it.each(converted)('finds the signature of %s good, and bad when a byte has changed', async (name) => {
    const manifest = await get(`/v2/${name}/manifests/latest`);
    expect(manifest.header('Content-Type')).toBe(mediaTypes.schema1Signed);
    const { document } = readSignedSchema1(manifest.body);
    const digests = new Set(document.fsLayers.map((layer) => layer.blobSum));
    const blobs = [...digests].map(async (digest) => (await get(`/v2/${name}/blobs/${digest}`)).body);
    const content = { blobs: await Promise.all(blobs) };
    const push = (tag: string, bytes: Uint8Array) =>
      pushImage(verifier.url, name, tag, {
        ...content,
        manifests: [{ bytes, mediaType: mediaTypes.schema1Signed }],
      });

    expect(await push('good', manifest.body)).toBe(manifest.header('Docker-Content-Digest'));
    const body = expect.stringContaining('MANIFEST_UNVERIFIED');
    await expect(push('bad', otherArchitecture(manifest.body))).rejects.toMatchObject({ status: 400, body });
  });
});

/** Changes one byte of the payload: the manifest stays valid, its signature does not. */
function otherArchitecture(manifest: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(manifest);
  const changed = text.replace('"architecture": "a', '"architecture": "b');
  if (changed === text) throw new Error('There is no architecture to change');
  return new TextEncoder().encode(changed);
}
