import { randomBytes } from 'node:crypto';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';

/** A broken rule of the specification. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @throws Violation when the rule does not hold. */
export function rule(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Violation(text);
}

export interface Said {
  readonly status: number;
  readonly bytes: Uint8Array;
  header(name: string): string | undefined;
  json<Value>(): Value;
}

export interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
}

/** A repository of a server under test. Each case has a separate repository. */
export interface Target {
  readonly name: string;
  /** @param where a path below `/v2/<name>/`, a path from `/` on, or a whole URL of a Location. */
  send(method: string, where: string, sent?: Sent): Promise<Said>;
  /** Another repository of the same registry. */
  other(): Target;
}

export function targetAt(base: string, name: string): Target {
  return {
    name,
    other: () => targetAt(base, `${name}-other`),
    async send(method, where, { headers, body } = {}) {
      const url = /^https?:|^\//.test(where) ? new URL(where, base) : new URL(`/v2/${name}/${where}`, base);
      const init: RequestInit & { duplex: 'half' } = { method, redirect: 'follow', duplex: 'half' };
      const response = await fetch(url, {
        ...init,
        ...(headers ? { headers } : {}),
        ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return {
        status: response.status,
        bytes,
        header: (header) => response.headers.get(header) ?? undefined,
        json: <Value>() => JSON.parse(new TextDecoder().decode(bytes)) as Value,
      };
    },
  };
}

export interface Blob {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export function blobOf(content: Uint8Array | string = new Uint8Array(randomBytes(300))): Blob {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { bytes, digest: digestOf(bytes) };
}

export interface Image {
  readonly config: Blob;
  readonly layer: Blob;
  readonly manifest: Blob;
}

/** Makes an OCI image of one layer. @param more fields of its manifest, like `subject`. */
export function imageOf(more: object = {}): Image {
  const layer = blobOf();
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = blobOf(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.bytes.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.bytes.length }],
    ...more,
  };
  return { config, layer, manifest: blobOf(JSON.stringify(manifest)) };
}

/** Begins an upload. @returns its Location. */
export async function begin(target: Target): Promise<string> {
  const begun = await target.send('POST', 'blobs/uploads/', { headers: { 'Content-Length': '0' } });
  rule(begun.status === 202, `POST of an upload: 202, not ${begun.status}`);
  const location = begun.header('location');
  rule(location !== undefined, 'POST of an upload says Location');
  return location;
}

/** Adds a digest to the query of a Location and keeps the rest of the query. */
export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

export async function pushBlob(target: Target, { bytes, digest }: Blob): Promise<void> {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(bytes.length) };
  const put = await target.send('PUT', withDigest(await begin(target), digest), { headers, body: bytes });
  rule(put.status === 201, `PUT of a blob: 201, not ${put.status}`);
}

export async function putManifest(
  target: Target,
  { bytes }: Blob,
  reference: string,
  type: string = mediaTypes.ociManifest,
): Promise<Said> {
  return target.send('PUT', `manifests/${reference}`, { headers: { 'Content-Type': type }, body: bytes });
}

export async function pushImage(target: Target, image: Image, ...tags: readonly string[]): Promise<void> {
  await pushBlob(target, image.config);
  await pushBlob(target, image.layer);
  for (const tag of tags.length > 0 ? tags : [image.manifest.digest]) {
    const put = await putManifest(target, image.manifest, tag);
    rule(put.status === 201, `PUT of a manifest: 201, not ${put.status}`);
  }
}
