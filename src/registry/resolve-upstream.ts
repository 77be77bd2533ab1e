import { type Digest, digestOf, isDigest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { limits } from '../../converters/limits.ts';
import { readManifest } from '../../converters/read.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import { widestAccept } from '../upstream/accept.ts';
import { readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';
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
  const request = {
    path: `/v2/${repository}/manifests/${referenceText(reference)}`,
    repository,
    credential: context.credential,
    budget: context.budget,
    headers: { accept: widestAccept },
  };
  if (by === 'HEAD') {
    const { response, anonymous } = await client.request({ ...request, method: 'HEAD' });
    if (response.ok) rateLimits.record(context, response.headers);
    const seen = response.ok ? seenIn(response, reference) : undefined;
    if (seen) return { ...seen, public: anonymous };
    if (!response.ok && response.status !== 405) throw await failure(response, reference, repository);
  }
  const { response, anonymous } = await client.request({ ...request, method: 'GET' });
  if (!response.ok) throw await failure(response, reference, repository);
  rateLimits.record(context, response.headers);
  return { ...(await readWhole(response, reference)), public: anonymous };
}

export function referenceText(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}

function seenIn(
  response: Response,
  reference: Reference,
): { digest: Digest; contentType: string } | undefined {
  const stated = response.headers.get('docker-content-digest');
  const contentType = response.headers.get('content-type') ?? '';
  // A digest asked for is the digest given: the bytes are checked when they are read.
  if (reference.kind === 'digest') return { digest: reference.digest, contentType };
  return isDigest(stated) ? { digest: stated, contentType } : undefined;
}

async function readWhole(response: Response, reference: Reference): Promise<Omit<UpstreamReply, 'public'>> {
  const seen = seenIn(response, reference);
  const contentType = response.headers.get('content-type') ?? '';
  const manifest = await readBounded(response, limits.documentBytes, 'the manifest');
  if (seen === undefined) return { digest: digestInBody(manifest, contentType), contentType, manifest };
  verifyManifest(manifest, seen.digest, contentType);
  return { ...seen, manifest };
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

/** The answer to a HEAD has no words that tell a repository which is not there from a tag: a GET is not told apart. */
async function failure(
  response: Response,
  reference: Reference,
  repository: RepositoryName,
): Promise<RegistryError> {
  const what = `manifest ${referenceText(reference)} of ${repository}`;
  const found = await errorFromResponse(response, what, 'MANIFEST_UNKNOWN');
  if (found.code !== 'NAME_UNKNOWN') return found;
  const { message, headers, detail } = found;
  return new RegistryError('MANIFEST_UNKNOWN', message, { headers, ...(detail ? { detail } : {}) });
}
