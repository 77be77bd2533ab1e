import { type Digest, digestOf } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { readManifest } from '../../converters/read.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import {
  fetchManifest,
  headManifest,
  type ManifestHead,
  type ManifestResponse,
} from '../upstream/api/manifests.ts';
import { referenceText } from '../upstream/api/paths.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { hasStatus } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { RateLimits } from './rate-limits.ts';
import { verifyManifest } from './verify-manifest.ts';

/** What upstream says that a reference names. */
export interface UpstreamReply {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without anyone's credential. */
  readonly public: boolean;
  /** The manifest, where it came along: verified. */
  readonly manifest?: Uint8Array;
}

/**
 * Asks upstream with the caller's own right.
 * @param by `HEAD`, which no registry counts, and then by GET where that does not tell; or at once by `GET`, which
 *   brings the manifest along.
 * @throws RegistryError; by `GET` ConversionError DIGEST_MISMATCH as well.
 */
export async function resolveUpstream(
  client: UpstreamClient,
  rateLimits: RateLimits,
  repository: RepositoryName,
  reference: Reference,
  context: RequestContext,
  by: 'HEAD' | 'GET',
): Promise<UpstreamReply> {
  // Other requests may wait for it too, so that no client's leaving ends it.
  const shared = { ...context, signal: undefined };
  const text = referenceText(reference);
  if (by === 'HEAD') {
    const head = await headManifest(client, repository, text, shared).catch(noHead);
    if (head) rateLimits.record(context, head.headers);
    const named = head && namedBy(head, reference);
    if (named) return { ...named, public: head.public };
  }
  const found = await fetchManifest(client, repository, text, shared).catch(unknownManifest);
  rateLimits.record(context, found.headers);
  return { ...(await readWhole(found, reference)), public: found.public };
}

/** Some registries take no HEAD. @throws the error of any other refusal. */
function noHead(error: unknown): undefined {
  if (!hasStatus(error, 405)) unknownManifest(error);
}

function namedBy(
  { digest, contentType }: ManifestHead,
  reference: Reference,
): { digest: Digest; contentType: string } | undefined {
  // A digest asked for is the digest given: the bytes are checked when they are read.
  if (reference.kind === 'digest') return { digest: reference.digest, contentType };
  return digest && { digest, contentType };
}

async function readWhole(
  response: ManifestResponse,
  reference: Reference,
): Promise<Omit<UpstreamReply, 'public'>> {
  const { contentType } = response;
  const manifest = await response.bytes();
  const named = namedBy(response, reference);
  if (named === undefined) return { digest: digestInBody(manifest, contentType), contentType, manifest };
  verifyManifest(manifest, named.digest, contentType);
  return { ...named, manifest };
}

/** For registries whose answers carry no digest. */
function digestInBody(bytes: Uint8Array, contentType: string): Digest {
  try {
    return readManifest(bytes, contentType).source.digest;
  } catch (error) {
    // An artifact, or a document of a dialect yet unknown, may pass; what is no JSON at all is no manifest.
    if (error instanceof ConversionError && error.code !== 'UNREADABLE') return digestOf(bytes);
    throw error;
  }
}

/**
 * The response to a HEAD has no body that tells a missing repository from a missing tag, so a GET does not tell them
 * apart either. @throws always.
 */
function unknownManifest(error: unknown): never {
  if (!(error instanceof RegistryError) || error.code !== 'NAME_UNKNOWN') throw error;
  const { message, headers, detail } = error;
  throw new RegistryError('MANIFEST_UNKNOWN', message, { headers, ...(detail ? { detail } : {}) });
}
