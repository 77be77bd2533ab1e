import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';

const MiB = 2 ** 20;
const { dockerList, ociConfig, ociIndex, ociLayerGzip, ociLayerZstd, ociManifest, schema2 } = mediaTypes;

export interface BenchUpstream {
  readonly url: string;
  /** Digests of layers of 20 MiB; `plain` is that of the decompressed layer of `zstd`. */
  readonly layers: Readonly<Record<'stored' | 'plain', string>>;
  /** The manifest of a tag of `image`. */
  image(tag: string): Uint8Array;
  /** The bytes of a digest. @throws Error where there are none. */
  bytesOf(digest: string): Uint8Array;
  /** The requests since the last call, in order. */
  takeRequests(): BenchRequest[];
  stop(): void;
}

export interface BenchRequest {
  readonly method: string;
  readonly path: string;
}

export const layerMiB = 20;
export const platforms = 8;
export const listedPlatforms = 10;

interface Content {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/**
 * A registry in memory. Each tag of `image` is another image of 20 layers and 40 history entries, each tag of `index` is
 * another index of 8 such images, each tag of `list` is another Docker list of ten, and `zstd` has one layer: zstd of half random and half repeated bytes.
 */
export async function startBenchUpstream(): Promise<BenchUpstream> {
  const contents = new Map<string, Content>();
  const keep = (mediaType: string, bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    contents.set(digest, { bytes, type: mediaType });
    return { mediaType, digest, size: bytes.length };
  };
  const manifest = (type: string, fields: object) =>
    keep(type, json({ schemaVersion: 2, mediaType: type, ...fields }));

  const config = keep(ociConfig, json(imageConfig()));
  const layers = Array.from({ length: 20 }, (_, n) => keep(ociLayerGzip, json(`layer ${n}`)));
  const dockerConfig = keep(mediaTypes.dockerConfig, json(imageConfig()));
  // The layers have no bytes: no client asks for them.
  const dockerLayers = (name: string) =>
    Array.from({ length: 20 }, (_, n) => ({
      ...{ mediaType: mediaTypes.dockerLayerGzip, size: 1_000_000 },
      digest: digestOf(json(`layer ${name} ${n}`)),
    }));
  const image = (name: string) => manifest(ociManifest, { config, layers, annotations: { name } });
  const index = (name: string) => {
    const manifests = Array.from({ length: platforms }, (_, n) => ({
      ...image(`${name} ${n}`),
      platform: { os: 'linux', architecture: n === 0 ? 'amd64' : `other${n}` },
    }));
    return manifest(ociIndex, { manifests });
  };

  const list = (name: string) => {
    const manifests = Array.from({ length: listedPlatforms }, (_, n) => ({
      ...manifest(schema2, { config: dockerConfig, layers: dockerLayers(`${name} ${n}`) }),
      platform: { os: 'linux', architecture: n === 0 ? 'amd64' : `other${n}` },
    }));
    return manifest(dockerList, { manifests });
  };

  const inside = new Uint8Array(layerMiB * MiB);
  inside.set(randomBytes(inside.length / 2));
  const plain = digestOf(inside);
  const compressed = keep(ociLayerZstd, new Uint8Array(zstdCompressSync(inside)));
  const rootfs = { type: 'layers', diff_ids: [plain] };
  const zstdConfig = keep(ociConfig, json({ os: 'linux', architecture: 'amd64', rootfs, history: [{}] }));
  const zstd = manifest(ociManifest, { config: zstdConfig, layers: [compressed] });
  // A separate layer: regshift does not decompress a layer whose plain form upstream has.
  const stored = keep(mediaTypes.octetStream, new Uint8Array(randomBytes(inside.length)));

  const named: Record<string, (tag: string) => { digest: string }> = { image, index, list, zstd: () => zstd };
  const requests: BenchRequest[] = [];
  const bytesOf = (digest: string) => {
    const { bytes } = contents.get(digest) ?? {};
    if (bytes === undefined) throw new Error(`There is no ${digest}.`);
    return bytes;
  };
  const server = serve((repository, reference) => {
    const digest = reference.startsWith('sha256:') ? reference : named[repository]?.(reference).digest;
    const content = contents.get(digest ?? '');
    return content && { ...content, digest: digest ?? '' };
  });
  server.on('request', ({ method = '', url: path = '' }) => requests.push({ method, path }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    layers: { stored: stored.digest, plain },
    image: (tag) => bytesOf(image(tag).digest),
    bytesOf,
    takeRequests: () => requests.splice(0),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function serve(
  find: (repository: string, reference: string) => (Content & { digest: string }) | undefined,
): Server {
  return createServer(({ method, url = '' }, response) => {
    const [, repository = '', reference = ''] = /^\/v2\/(.+)\/(?:manifests|blobs)\/(.+)$/.exec(url) ?? [];
    const found = find(repository, reference);
    if (!found) return void response.writeHead(404).end();
    const { bytes, type, digest } = found;
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Length': bytes.length,
      'Docker-Content-Digest': digest,
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  });
}

function imageConfig(): object {
  const history = Array.from({ length: 40 }, (_, n) => ({
    created: `2024-05-06T07:08:${String(n).padStart(2, '0')}.123456789Z`,
    created_by: `/bin/sh -c apt-get update && apt-get install -y package-${n} && rm -rf /var/lib/apt/lists/*`,
    ...(n % 2 ? { empty_layer: true } : {}),
  }));
  const diffIds = Array.from({ length: 20 }, (_, n) => digestOf(json(`unpacked ${n}`)));
  return {
    os: 'linux',
    architecture: 'amd64',
    created: '2024-05-06T07:08:09.123456789Z',
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['run'] },
    history,
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
