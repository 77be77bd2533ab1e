import type { Digest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import type { UpstreamLogin } from '../../auth/upstream-auth.ts';
import { unknownRequester } from '../../request/requester.ts';
import type { Resolution } from '../../upstream/resolution.ts';
import { upstreamCredential } from '../client-request.ts';
import type { RecentTags } from '../recent-tags.ts';
import type { Resolver } from '../resolver.ts';
import type { ManifestConverter } from './converter.ts';
import type { Freshness } from './freshness.ts';
import type { Representation } from './representation.ts';

/** The resolution that a representation rests on: upstream is asked for the same again. */
export interface ResolvedReference {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  /** Of the request nothing else is kept: its context holds its credential and the whole connection. */
  readonly login: UpstreamLogin;
}

export interface RevalidationOptions {
  readonly resolver: Resolver;
  readonly converter: ManifestConverter;
  readonly recentTags: RecentTags;
}

export interface Revalidation {
  /**
   * How long a representation may be sent again as it is.
   * @returns undefined where it may not: a stale one, and one that lacks something.
   */
  freshnessOf(
    representation: Representation,
    resolution: Resolution,
    resolved: ResolvedReference,
  ): Freshness | undefined;
}

/**
 * A representation depends on the request and on the manifest that upstream names. While these stay the same, it may be
 * sent again. A recipe that a cache has lost is put back when the manifest is converted again. Until then the
 * representation is not sent again: a client that got its digests could not get their content.
 */
export function createRevalidation({ resolver, converter, recentTags }: RevalidationOptions): Revalidation {
  function freshnessOf(
    representation: Representation,
    resolution: Resolution,
    resolved: ResolvedReference,
  ): Freshness | undefined {
    const { repository, reference, login } = resolved;
    const { isFresh, age, ...before } = resolution;
    if (isFresh === undefined || age !== undefined || !representation.complete) return undefined;
    const { derived, isSuperseded, isProvisional } = representation;
    const isShared = (digest: Digest) => !converter.needsRepublish(repository, digest);
    const isKnown = (digest: Digest) =>
      converter.cachedRecipe(repository, digest) !== undefined && isShared(digest);
    return {
      isFresh: () => isFresh() && derived.every(isShared) && isSuperseded?.() !== true,
      async revalidate(started, authorization) {
        const credential = upstreamCredential(login, authorization);
        const context = { ...started, credential, requester: () => unknownRequester };
        const now = await resolver.resolve(repository, reference, context);
        const { digest, contentType, public: isPublic } = now;
        const isSame =
          digest === before.digest && contentType === before.contentType && isPublic === before.public;
        if (!isSame || isProvisional?.() || isSuperseded?.() || !derived.every(isKnown)) return undefined;
        if (reference.kind === 'tag') recentTags.record(repository, reference.tag);
        return freshnessOf(representation, now, resolved);
      },
    };
  }
  return { freshnessOf };
}
