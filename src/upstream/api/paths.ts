import type { Digest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';

/** The paths of the distribution API (distribution-spec 1.1, "Endpoints"), below the base URL of a registry. */

export const pingPath = '/v2/';

/** @param query with its question mark; "" for none. */
export function catalogPath(query: string): string {
  return `/v2/_catalog${query}`;
}

export function manifestPath(repository: RepositoryName, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}

export function blobPath(repository: RepositoryName, digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

/** The path that uploads begin at; the names of uploads come after it. */
export function uploadsPath(repository: RepositoryName): string {
  return `/v2/${repository}/blobs/uploads/`;
}

/** @param query with its question mark; "" for none. */
export function tagsPath(repository: RepositoryName, query: string): string {
  return `/v2/${repository}/tags/list${query}`;
}

/** @param query with its question mark; "" for none. */
export function referrersPath(repository: RepositoryName, digest: Digest, query: string): string {
  return `/v2/${repository}/referrers/${digest}${query}`;
}

/**
 * An endpoint of an extension (distribution-spec, extensions/README.md).
 * @param repository undefined for an endpoint of the whole registry. @param query with its question mark; "" for none.
 */
export function extensionPath(
  repository: RepositoryName | undefined,
  endpoint: string,
  query: string,
): string {
  return `/v2/${repository === undefined ? '' : `${repository}/`}${endpoint}${query}`;
}

/** A reference as it stands in a path and in a message. */
export function referenceText(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}
