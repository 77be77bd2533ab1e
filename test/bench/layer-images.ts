import { readFile } from 'node:fs/promises';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { pushImage } from '../support/push.ts';
import type { BenchLayer } from './layer-data.ts';

/** Headers of a client that reads gzip and plain tar but no schema 1, so that regshift must read layers for it. */
export const docker19 = {
  'User-Agent': 'docker/19.03.15 go/go1.13.15 kernel/5.10.0 os/linux arch/amd64',
  Accept: [mediaTypes.schema2, mediaTypes.dockerList].join(', '),
};

const reader = { Accept: mediaTypes.schema1Signed };

/** Pushes an image with this one layer, in the form that BuildKit writes. */
export async function pushLayer(registryUrl: string, repository: string, layer: BenchLayer): Promise<void> {
  const { compression, digest, diffId } = layer;
  const compressed = new Uint8Array(await readFile(layer.path));
  const rootfs = { type: 'layers', diff_ids: [diffId] };
  const config = json({
    os: 'linux',
    architecture: 'amd64',
    created: '2024-05-06T07:08:09Z',
    rootfs,
    history: [{ created: '2024-05-06T07:08:09Z', created_by: 'COPY . /' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [
      {
        mediaType: compression === 'gzip' ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd,
        digest,
        size: compressed.length,
      },
    ],
  });
  const manifests = [{ bytes: manifest, mediaType: mediaTypes.ociManifest }];
  await pushImage(registryUrl, repository, 'latest', { blobs: [config, compressed], manifests });
}

/** Pushes the image of a repository again under the tag `v1`, as the schema 1 that `regshift` makes of it. */
export async function pushAsSchema1(
  registryUrl: string,
  proxyUrl: string,
  repository: string,
): Promise<void> {
  const answer = await fetch(`${proxyUrl}/v2/${repository}/manifests/latest`, { headers: reader });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const manifests = [{ bytes, mediaType: mediaTypes.schema1Signed }];
  await pushImage(registryUrl, repository, 'v1', { blobs: [], manifests });
}

/**
 * Requests a manifest again and again until its layers are read, as people retry a pull.
 * @throws Error with a response that is neither the manifest nor a request to retry.
 */
export async function askUntilRead(proxyUrl: string, repository: string, tag: string): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    const answer = await fetch(`${proxyUrl}/v2/${repository}/manifests/${tag}`, { headers: docker19 });
    const text = await answer.text();
    if (answer.ok) return;
    if (!text.includes('must read the layers'))
      throw new Error(`${repository}:${tag}: HTTP ${answer.status} ${text}`);
  }
  throw new Error(`${repository}:${tag} was never read to its end`);
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
