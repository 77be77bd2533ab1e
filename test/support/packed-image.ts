import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { type Script, specError } from './scripted-upstream.ts';

export interface CompressedLayer {
  readonly mediaType: string;
  /** The bytes in the registry. */
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly tar: Uint8Array;
}

/** A repository whose tag `latest` is an OCI image of these layers, base first. */
export function compressedImage(repository: string, layers: readonly CompressedLayer[]): Script {
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const keep = (mediaType: string, bytes: Uint8Array<ArrayBuffer>) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const config = keep(
    mediaTypes.ociConfig,
    json({
      architecture: 'amd64',
      os: 'linux',
      created: '2024-05-06T07:08:09Z',
      rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
      history: layers.map((_, index) => ({ created: '2024-05-06T07:08:09Z', created_by: `step ${index}` })),
    }),
  );
  const descriptors = layers.map(({ mediaType, compressed }) => keep(mediaType, compressed));
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: descriptors,
  });
  const digest = digestOf(manifest);

  return (request, { pathname }) => {
    if (!pathname.startsWith(`/v2/${repository}/`)) return undefined;
    const [kind, reference = ''] = pathname.slice(`/v2/${repository}/`.length).split('/');
    if (kind === 'manifests' && [digest, 'latest'].includes(reference)) {
      const headers = { 'Content-Type': mediaTypes.ociManifest, 'Docker-Content-Digest': digest };
      return new Response(manifest, { headers });
    }
    const blob = kind === 'blobs' ? blobs.get(reference) : undefined;
    return blob ? ranged(blob, request.headers.get('range')) : specError(404, 'BLOB_UNKNOWN');
  };
}

/** Answers a request for one range, as registries do (RFC 9110, section 14). */
export function ranged(blob: Uint8Array<ArrayBuffer>, range: string | null): Response {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined) {
    return new Response(blob, { headers: { 'Content-Length': String(blob.length) } });
  }
  const start = first === '' ? Math.max(0, blob.length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? blob.length - 1 : Math.min(Number(last), blob.length - 1);
  if (start > end) return new Response(null, { status: 416 });
  const headers = {
    'Content-Length': String(end - start + 1),
    'Content-Range': `bytes ${start}-${end}/${blob.length}`,
  };
  return new Response(blob.slice(start, end + 1), { status: 206, headers });
}
