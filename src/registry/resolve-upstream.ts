import { type Digest, digestOf } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { bareMediaType } from '../../converters/media-types.ts';
import type { TakeTurn } from '../../converters/ports.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import { hasCode, isUpstreamFailing, RegistryError } from '../errors.ts';
import {
  fetchManifest,
  headManifest,
  type ManifestHead,
  type ManifestResponse,
} from '../upstream/api/manifests.ts';
import { referenceText } from '../upstream/api/paths.ts';
import { contentLength } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { hasStatus, isAbsence, isRefusalWithReason, isRefused } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { ContentStore } from './content-store.ts';
import type { HeadRefusals } from './head-refusals.ts';
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

export interface UpstreamResolverParts {
  readonly client: UpstreamClient;
  readonly rateLimits: RateLimits;
  /** Called before a manifest is read or verified. */
  readonly turn: TakeTurn;
  readonly heads: HeadRefusals;
  readonly content: Pick<ContentStore, 'hasManifest'>;
  /** The keys of large manifests that are being read. */
  readonly reading: Set<string>;
}

/**
 * The most bytes of a manifest that is read although it is cached, which keeps the connection for the next request. Each
 * login proves its right by a GET of its own, and a few hundred bodies of 4 MiB fill the memory.
 */
const smallBytes = 65_536;

/** A reference that upstream is asked for, with the credential of a request. */
export interface UpstreamQuestion {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  readonly context: RequestContext;
  /**
   * `HEAD`, which no registry counts, and then GET if that does not tell the digest; or at once `GET`, which brings the
   * manifest, too.
   */
  readonly by: 'HEAD' | 'GET';
  /** The refusal of an earlier HEAD, which a GET is to confirm. */
  readonly refusal: RegistryError | undefined;
  /** Whether a GET confirms the refusal of a HEAD without a credential, because something depends on it. */
  readonly isConfirmed: () => boolean;
}

/**
 * Asks upstream for a reference.
 * @throws RegistryError; by `GET` ConversionError DIGEST_MISMATCH as well.
 */
export async function resolveUpstream(
  { client, rateLimits, turn, heads, content, reading }: UpstreamResolverParts,
  { repository, reference, context, by, refusal: earlier, isConfirmed }: UpstreamQuestion,
): Promise<UpstreamReply> {
  const text = referenceText(reference);
  const found = await askByHead().catch(unknownManifest);
  if ('digest' in found) return found;
  return askByGet(found.refusal).catch(unknownManifest);

  async function askByHead(): Promise<UpstreamReply | { readonly refusal?: RegistryError }> {
    if (by === 'GET') return earlier ? { refusal: earlier } : {};
    try {
      const head = await headManifest(client, repository, text, context);
      heads.answered();
      rateLimits.record(context, head.headers);
      const named = namedBy(head, reference);
      return named ? { ...named, public: head.public } : {};
    } catch (error) {
      if (mayTakeGet(error, context, isConfirmed)) return { refusal: error };
      throw error;
    }
  }

  async function askByGet(refusal: RegistryError | undefined): Promise<UpstreamReply> {
    try {
      const response = await fetchManifest(client, repository, text, context);
      if (refusal) heads.contradicted();
      rateLimits.record(context, response.headers);
      const named = namedBy(response, reference);
      const isLarge = (contentLength(response) ?? 0) > smallBytes;
      const reply = named && isLarge ? await readOnce(response, named) : await readWhole(response, named);
      return { ...reply, public: response.public };
    } catch (error) {
      heads.confirmed(error, context);
      throw refusal && isConfirmation(refusal, error) ? refusal : error;
    }
  }

  /** Reads a large manifest, unless it is cached, or another request reads it. The status proves the right already. */
  async function readOnce(response: ManifestResponse, named: NamedManifest): Promise<Reply> {
    const key = joinKey(repository, named.digest);
    if ((await content.hasManifest(repository, named.digest, context)) || reading.has(key)) {
      await response.discard();
      return named;
    }
    reading.add(key);
    return readWhole(response, named).finally(() => reading.delete(key));
  }

  async function readWhole(response: ManifestResponse, named: NamedManifest | undefined): Promise<Reply> {
    const { contentType } = response;
    const manifest = await response.bytes();
    await turn(manifest.length);
    if (named === undefined) {
      const what = `manifest ${text} of ${repository}`;
      return { digest: digestInBody(manifest, contentType, what), contentType, manifest };
    }
    verifyManifest(manifest, named.digest, contentType);
    return { ...named, manifest };
  }
}

type Reply = Omit<UpstreamReply, 'public'>;

type NamedManifest = Pick<Reply, 'digest' | 'contentType'>;

/**
 * Whether the error of a GET leaves the refusal of its HEAD as the answer. One refusal has one message, whether a GET
 * confirms it or not. While upstream fails, its last word about the reference is its refusal.
 */
function isConfirmation(refusal: RegistryError, error: unknown): boolean {
  if (isRefusalWithReason(error)) return false;
  if (hasStatus(error, Number(refusal.detail?.upstreamStatus))) return true;
  if (!isRefused(refusal)) return isAbsence(refusal) && isUpstreamFailing(error);
  return isRefused(error) || isUpstreamFailing(error);
}

/**
 * Whether to ask again by GET after the error of a HEAD. Some registries take no HEAD (405), and a reason is in the body
 * of a GET alone. Others refuse each HEAD to
 * requests without a login (`headBlob`), so that a HEAD alone does not tell that upstream refuses the repository.
 * Docker asks again after each error (distribution, registry/client/repository.go, `tags.Get`). A refused login is not
 * sent twice, because registries lock accounts after several wrong logins (Artifactory, "User Account Locking").
 */
function mayTakeGet(
  error: unknown,
  { credential }: RequestContext,
  isConfirmed: () => boolean,
): error is RegistryError {
  if (isRefusalWithReason(error)) return true;
  return credential.kind === 'none' && (hasStatus(error, 401) || hasStatus(error, 403)) && isConfirmed();
}

function namedBy({ digest, contentType }: ManifestHead, reference: Reference): NamedManifest | undefined {
  // A requested digest is the digest of the response: the bytes are verified when they are read.
  if (reference.kind === 'digest') return { digest: reference.digest, contentType };
  return digest && { digest, contentType };
}

/**
 * The digest of a manifest whose response has none. An artifact, or a document of an unknown dialect, passes by its own
 * type. Other documents are no manifests, such as the words of a gateway about its maintenance.
 * @throws RegistryError UPSTREAM_ANSWER.
 */
function digestInBody(bytes: Uint8Array, contentType: string, what: string): Digest {
  try {
    return contentDigest(bytes, contentType);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const type = bareMediaType(contentType);
    const isForeign = error.code === 'UNKNOWN_DIALECT' && type.startsWith('application/vnd.');
    if (isForeign || !['UNREADABLE', 'UNKNOWN_DIALECT'].includes(error.code)) return digestOf(bytes);
    throw new RegistryError(
      'UPSTREAM_ANSWER',
      `Upstream sent a document of the type ${type === '' ? 'none' : type}, which is no manifest, as the ${what}. ` +
        'Check that REGSHIFT_UPSTREAM names a registry, and what is in front of it. Try again.',
      { cause: error },
    );
  }
}

/**
 * The response to a HEAD has no body that tells a missing repository from a missing tag, so a GET does not tell them
 * apart either. @throws always.
 */
function unknownManifest(error: unknown): never {
  if (!hasCode(error, 'NAME_UNKNOWN')) throw error;
  const { message, headers, detail } = error;
  throw new RegistryError('MANIFEST_UNKNOWN', message, { headers, detail });
}
