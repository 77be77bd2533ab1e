import { type Digest, digestOf, isDigest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { limits } from '../../converters/limits.ts';
import { readManifest } from '../../converters/read.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import type { Failure } from '../errors.ts';
import { widestAccept } from '../negotiation/reads.ts';
import { readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { PullMeter } from './pull-meter.ts';
import type { Caller } from './resolve.ts';
import { failureOf } from './upstream-answer.ts';

/** What upstream says that a reference names. */
export interface Said {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without anyone's credential. */
  readonly public: boolean;
}

/**
 * Asks upstream with the caller's own right: by HEAD, which no registry counts, and by GET where that does not tell.
 * @throws Failure.
 */
export async function askReference(
  client: UpstreamClient,
  meter: PullMeter,
  repository: RepositoryName,
  reference: Reference,
  caller: Caller,
): Promise<Said> {
  const request = {
    path: `/v2/${repository}/manifests/${textOf(reference)}`,
    repository,
    credential: caller.credential,
    budget: caller.budget,
    headers: { accept: widestAccept },
  };
  const { response, anonymous } = await client.request({ ...request, method: 'HEAD' });
  if (response.ok) meter.note(caller, response.headers);
  const seen = response.ok ? seenIn(response, reference) : undefined;
  if (seen) return { ...seen, public: anonymous };
  if (!response.ok && response.status !== 405) throw await failure(response, reference, repository);
  const second = await client.request({ ...request, method: 'GET' });
  if (!second.response.ok) throw await failure(second.response, reference, repository);
  return { ...(await digestInBody(second.response)), public: second.anonymous };
}

export function textOf(reference: Reference): string {
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

/** For registries whose answers carry no digest. */
async function digestInBody(response: Response): Promise<{ digest: Digest; contentType: string }> {
  const contentType = response.headers.get('content-type') ?? '';
  const bytes = await readBounded(response, limits.documentBytes, 'the manifest');
  try {
    return { digest: readManifest(bytes, contentType).source.digest, contentType };
  } catch (error) {
    // An artifact, or a document of a dialect yet unknown, may pass; what is no JSON at all is no manifest.
    if (error instanceof ConversionError && error.code !== 'UNREADABLE') {
      return { digest: digestOf(bytes), contentType };
    }
    throw error;
  }
}

function failure(response: Response, reference: Reference, repository: RepositoryName): Promise<Failure> {
  return failureOf(response, `manifest ${textOf(reference)} of ${repository}`, 'MANIFEST_UNKNOWN');
}
