import type { mediaTypes } from '../../converters/media-types.ts';
import { readManifest } from '../../converters/read.ts';
import { goldenBytes } from './golden.ts';
import { sha256Of } from './sha256.ts';

/** The contents of a shared cache that an earlier version filled, and the derived digests that it served meanwhile. */
export interface StoredEntries {
  /** The version that wrote the entries, and its commit. */
  readonly version: string;
  /** REGSHIFT_UPSTREAM of that version: the names of the entries depend on it. */
  readonly upstream: string;
  /** REGSHIFT_SIGNING_KEY of that version, a JWK as text. */
  readonly signingKey: string;
  readonly digests: readonly DerivedDigest[];
  /** Values in base64, by the names that they have in the shared cache. */
  readonly entries: Readonly<Record<string, string>>;
}

/** A digest that the upstream registry does not have: regshift made its content. */
export interface DerivedDigest {
  readonly repository: string;
  readonly kind: 'manifests' | 'blobs';
  readonly digest: string;
  /** The Content-Type of a manifest; empty for a blob. */
  readonly mediaType: (typeof mediaTypes)[keyof typeof mediaTypes] | '';
}

/** The entries of `test/golden/stored-by-0.1`; `test/support/write-stored-entries.ts` made them. */
export function storedEntries(cache: 'redis' | 'kv'): StoredEntries {
  const bytes = goldenBytes(`stored-by-0.1/${cache}.json`);
  return JSON.parse(new TextDecoder().decode(bytes)) as StoredEntries;
}

/** Name and value of each entry. */
export function entriesOf({ entries }: StoredEntries): [name: string, value: Uint8Array][] {
  return Object.entries(entries).map(([name, base64]) => [
    name,
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  ]);
}

/** Whether an entry is a whole document, which a full Redis drops first. */
export function isDocument(name: string): boolean {
  return /(^|:)(product|made-config|manifest):/.test(name);
}

/** The path and the headers of the request for a derived digest. */
export function requestFor({ repository, kind, digest, mediaType }: DerivedDigest) {
  const headers: Record<string, string> = mediaType === '' ? {} : { Accept: mediaType };
  return { path: `/v2/${repository}/${kind}/${digest}`, headers };
}

/** The digest of the bytes that a request for a derived digest returned, as a client computes it. */
export async function digestReceived({ mediaType }: DerivedDigest, bytes: Uint8Array): Promise<string> {
  return mediaType === '' ? sha256Of(bytes) : readManifest(bytes, mediaType).source.digest;
}

/** Upstream requests that belong to a search: lists of tags, and manifests by tag. */
export function searchesAmong(requests: readonly string[]): string[] {
  return requests.filter((request) => /\/tags\/list|\/manifests\/(?!sha256:)|\/_catalog/.test(request));
}
