import { type Digest, verifyDigest } from '../../converters/digest.ts';
import { limits } from '../../converters/limits.ts';
import type { TakeTurn } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { CacheEntry } from '../cache/cache.ts';
import { ignoring } from '../errors.ts';
import { fetchBlob, type GetBlobOptions } from '../upstream/api/blobs.ts';
import { fetchManifest } from '../upstream/api/manifests.ts';
import { readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { hasStatus } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { verifyManifest } from './verify-manifest.ts';

export interface VerifiedReadsOptions {
  readonly client: UpstreamClient;
  /** Called before a document is verified, and before it is given to a reader. */
  readonly turn: TakeTurn;
}

/** Reads a manifest from upstream, with the Content-Type as a fact. @throws RegistryError; ConversionError. */
export async function readVerifiedManifest(
  options: VerifiedReadsOptions,
  repository: RepositoryName,
  digest: Digest,
  context: RequestContext,
): Promise<CacheEntry> {
  const response = await fetchManifest(options.client, repository, digest, context).catch(
    ignoring((error) => hasStatus(error, 404)),
  );
  // A fat generic manifest may name children that the registry holds as blobs only.
  if (response === undefined) {
    const body = await readVerifiedBlob(options, repository, digest, context, 'MANIFEST_UNKNOWN');
    return { facts: { contentType: '' }, body };
  }
  const { contentType } = response;
  const body = await response.bytes();
  await options.turn(body.length);
  verifyManifest(body, digest, contentType);
  return { facts: { contentType }, body };
}

/**
 * Reads a small blob from upstream.
 * @param unknown the error's code where upstream does not have it. @throws RegistryError; ConversionError.
 */
export async function readVerifiedBlob(
  { client, turn }: VerifiedReadsOptions,
  repository: RepositoryName,
  digest: Digest,
  context: RequestContext,
  unknown: NonNullable<GetBlobOptions['unknown']>,
): Promise<Uint8Array> {
  const response = await fetchBlob(client, repository, digest, context, { unknown });
  const body = await readBounded(response, limits.documentBytes, 'the blob', client.answerMs);
  await turn(body.length);
  verifyDigest(body, digest, 'blob');
  return body;
}
