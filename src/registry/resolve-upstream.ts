import { type Digest, digestOf } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
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
import { contentDigest, verifyManifest } from './verify-manifest.ts';

/** The manifest that a reference names, as upstream says. */
export interface UpstreamReply {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without a credential. */
  readonly public: boolean;
  /** The verified manifest, if the response had it. */
  readonly manifest?: Uint8Array;
}

/**
 * Asks upstream for a reference with the credential of the request.
 * @param by `HEAD`, which no registry counts, and then GET if that does not tell the digest; or at once `GET`, which
 *   brings the manifest, too.
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
  // Other clients may wait for the resolution too: it does not end with one of them.
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
  // A requested digest is the digest of the response: the bytes are verified when they are read.
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

/** The digest of a manifest whose response has none. */
function digestInBody(bytes: Uint8Array, contentType: string): Digest {
  try {
    return contentDigest(bytes, contentType);
  } catch (error) {
    // An artifact, or a document of an unknown dialect, may pass; a document that is not JSON is no manifest.
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
