import type { mediaTypes } from '../../converters/media-types.ts';
import { readManifest } from '../../converters/read.ts';
import { sha256Of } from './sha256.ts';

/** The contents of a shared cache that an earlier version filled, and the derived digests that it served meanwhile. */
export interface StoredEntries {
  /** The version that wrote the entries, and its commit. */
  readonly version: string;
  /** REGSHIFT_UPSTREAM of that version: the names of the entries depend on it. */
  readonly upstream: string;
  /** REGSHIFT_SIGNING_KEY of that version, a JWK as text. */
  readonly signingKey: string;
  /** In the order in which they are requested: what one request reads stays in the memory of the process. */
  readonly digests: readonly (DerivedDigest & { readonly requests: RequestCounts })[];
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

/** A part of the entries: all of them, or those that a full cache keeps longest. */
export type Kept = 'all' | 'without documents';

/** How many upstream requests a new process of the version itself sent to serve a digest with a part of the entries. */
export type RequestCounts = Readonly<Record<Kept, number>>;

/** A file of `test/golden/stored-by-0.1`; `write-stored-entries.ts` made them. */
export function parseStoredEntries(json: Uint8Array): StoredEntries {
  return JSON.parse(new TextDecoder().decode(json)) as StoredEntries;
}

/** The names and the values of a part of the entries. */
export function entriesOf(
  { entries }: Pick<StoredEntries, 'entries'>,
  kept: Kept,
): [name: string, value: Uint8Array<ArrayBuffer>][] {
  return Object.entries(entries)
    .filter(([name]) => kept === 'all' || !/(^|:)(product|made-config|manifest):/.test(name))
    .map(([name, base64]) => [name, Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
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
