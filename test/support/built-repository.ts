import { type Digest, digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { ranged } from './packed-image.ts';
import { type Script, specError } from './scripted-upstream.ts';

export interface BuiltDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A repository whose content a test makes piece by piece, in any shape. Nothing is checked when it is added. */
export interface BuiltRepository {
  /** Adds a blob. @param digest its name, where it is not the SHA-256 of the bytes. */
  blob(mediaType: string, bytes: Uint8Array, digest?: string): BuiltDescriptor;
  /** Adds a manifest: JSON, or the very bytes. @param digest as of `blob`. */
  manifest(mediaType: string, document: object | Uint8Array, digest?: string): BuiltDescriptor;
  /** Serves the repository, with the manifest under the tag `latest`. */
  serve(root: BuiltDescriptor): Script;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly manifests: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mediaType: string }>;
}

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

export function builtRepository(name: string): BuiltRepository {
  const blobs = new Map<string, Bytes>();
  const manifests = new Map<string, { readonly bytes: Bytes; readonly mediaType: string }>();
  return {
    blobs,
    manifests,
    blob(mediaType, bytes, digest = digestOf(bytes)) {
      blobs.set(digest, bytes.slice());
      return { mediaType, digest, size: bytes.length };
    },
    manifest(mediaType, document, digest) {
      const bytes = document instanceof Uint8Array ? document : json(document);
      const key = digest ?? digestOf(bytes);
      manifests.set(key, { bytes: bytes.slice(), mediaType });
      return { mediaType, digest: key, size: bytes.length };
    },
    serve: (root) => (request, url) => {
      const [kind, reference = ''] = url.pathname.split(`/v2/${name}/`)[1]?.split('/') ?? [];
      if (kind === undefined) return undefined;
      if (kind === 'tags') return Response.json({ name, tags: ['latest'] });
      const key = reference === 'latest' ? root.digest : reference;
      const found = manifests.get(key);
      if (kind === 'manifests' && found) {
        const { bytes, mediaType } = found;
        const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': key };
        return new Response(bytes, { headers: { ...headers, 'Content-Length': String(bytes.length) } });
      }
      const blob = kind === 'blobs' ? blobs.get(key) : undefined;
      if (blob) return ranged(blob, request.headers.get('range'));
      return specError(404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
    },
  };
}

/** The content of each file in a layer. */
export const fileContent = (path: string): Uint8Array => json(`the file ${path}`);

/** A layer with one file. */
export interface BuiltLayer {
  readonly tar: Uint8Array;
  readonly diffId: Digest;
}

export function layerWith(path: string): BuiltLayer {
  const bytes = tar([{ kind: 'file', path, content: fileContent(path) }]);
  return { tar: bytes, diffId: digestOf(bytes) };
}

/** A layer's bytes in the registry: those of the compression that its media type states. */
export function compressedFor(mediaType: string, bytes: Uint8Array): Uint8Array {
  if (/[.+]zstd$/.test(mediaType)) return zstd(bytes, { contentSize: true });
  return /[.+]gzip$/.test(mediaType) ? gzip(bytes) : bytes;
}

/** The parts of an image that differ between tests. */
export interface ImageParts {
  readonly mediaType?: string;
  readonly configType?: string;
  readonly layerType?: string;
  /** The files, one for each layer. */
  readonly files?: readonly string[];
  /** More members of the config, or other ones. */
  readonly config?: object;
  /** More members of the manifest, or other ones. */
  readonly manifest?: object;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

const created = '2024-05-06T07:08:09Z';

/** Adds an image: by default an OCI image for linux/amd64 with two gzip layers and a history of them. */
export function addImage(repository: BuiltRepository, parts: ImageParts = {}): BuiltDescriptor {
  const { mediaType = mediaTypes.ociManifest, platform = { os: 'linux', architecture: 'amd64' } } = parts;
  const isOci = mediaType === mediaTypes.ociManifest;
  const { configType = isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig } = parts;
  const { layerType = isOci ? mediaTypes.ociLayerGzip : mediaTypes.dockerLayerGzip } = parts;
  const layers = (parts.files ?? ['base', 'top']).map(layerWith);
  const config = repository.blob(
    configType,
    json({
      ...platform,
      created,
      config: { Cmd: ['/top'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({ created, created_by: `step ${index}` })),
      ...parts.config,
    }),
  );
  const descriptors = layers.map((each) => repository.blob(layerType, compressedFor(layerType, each.tar)));
  const document = { schemaVersion: 2, mediaType, config, layers: descriptors, ...parts.manifest };
  return repository.manifest(mediaType, document);
}

/** Adds an index of descriptors, which may have a platform and annotations. */
export function addIndex(
  repository: BuiltRepository,
  manifests: readonly object[],
  mediaType: string = mediaTypes.ociIndex,
): BuiltDescriptor {
  return repository.manifest(mediaType, { schemaVersion: 2, mediaType, manifests });
}

export const linux = (architecture: string, variant?: string) => ({
  platform: { os: 'linux', architecture, ...(variant ? { variant } : {}) },
});
