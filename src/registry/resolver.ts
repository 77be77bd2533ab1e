import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import { createLru } from '../cache/lru.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { isSpent, isUpstreamFailing, RegistryError } from '../errors.ts';
import { referenceText } from '../upstream/api/paths.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Purpose, Resolution } from '../upstream/resolution.ts';
import type { ContentStore } from './content-store.ts';
import { createRateLimits } from './rate-limits.ts';
import type { RepositoryVersions } from './repository-versions.ts';
import { resolveUpstream, type UpstreamReply } from './resolve-upstream.ts';

export interface ResolverOptions {
  readonly client: UpstreamClient;
  /** Seconds for which a resolution may be used again. */
  readonly ttl: number;
  /** Seconds for which a public resolution may be used while upstream fails. */
  readonly staleFor: number;
  readonly clock: Clock;
  readonly background: Background;
  readonly versions: RepositoryVersions;
  readonly content: Pick<ContentStore, 'putManifest' | 'hasManifest'>;
  /** Bytes of memory for access grants. */
  readonly grantBytes: number;
}

export interface Resolver {
  /**
   * Resolves a reference with the credential of the request, at most once per TTL and credential, until the repository
   * is written to. Only two grants give access to cached content: upstream gave it to a request without a credential
   * (valid for all, and stale while upstream fails), or to this very Authorization value (valid for that value alone,
   * never stale).
   * @param purpose `to read` if the manifest is read next: a new reference is then resolved by GET, where upstream is
   *   known not to count pulls, which saves a request.
   * @throws RegistryError MANIFEST_UNKNOWN, UNAUTHORIZED, DENIED, RATE_LIMITED, or that upstream failed.
   */
  resolve(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    purpose?: Purpose,
  ): Promise<Resolution>;
  /** Forgets a resolution whose manifest turned out to be unusable, so that upstream is asked again. */
  forget(repository: RepositoryName, reference: Reference, context: RequestContext): void;
  /**
   * The right to some image of the repository, as far as an earlier response proves it. Sends no request.
   */
  readAccess(
    repository: RepositoryName,
    context: RequestContext,
  ): Pick<Resolution, 'public' | 'at'> | undefined;
  /** Whether upstream counts the pulls of this account, as Docker Hub does for all but paying accounts. */
  countsPulls(context: RequestContext): boolean;
}

/** Upstream's reply, and its time. There are thousands of them, so it holds nothing else. */
interface AccessGrant extends Omit<UpstreamReply, 'manifest'> {
  /** By the clock: when upstream was asked. */
  readonly at: number;
  readonly previous?: AccessGrant;
}

/** A grant and its key. */
interface CachedGrant {
  readonly key: string;
  readonly grant: AccessGrant;
}

const deadlineMs = 60_000;

const mostReaders = 10_000;

/** Bytes of memory for a grant with its key. */
const grantSize = 512;

export function createResolver(options: ResolverOptions): Resolver {
  const { client, ttl, staleFor, clock, background, versions, content, grantBytes } = options;
  const grants = createLru<string, AccessGrant>(Math.ceil(grantBytes / grantSize));
  /** The last time that upstream let a credential, or everyone, read an image of a repository. */
  const reads = createLru<string, Pick<AccessGrant, 'at' | 'public'>>(mostReaders);
  const flights = createSingleFlight<AccessGrant>(deadlineMs, background);
  const rateLimits = createRateLimits();

  const ageOf = ({ at }: AccessGrant) => (clock() - at) / 1000;
  const isFresh = (grant: AccessGrant) => ageOf(grant) < ttl;

  /** Caches a grant, by its digest too: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them. */
  function cacheGrant(
    state: string,
    reference: Reference,
    { credential }: RequestContext,
    granted: AccessGrant,
  ): CachedGrant {
    const whose = granted.public ? 'none' : credentialKey(credential);
    const key = grantKey(state, reference, whose);
    const previous = previousGrant(grants.get(key), granted);
    const grant = previous ? { ...granted, previous } : granted;
    grants.set(grantKey(state, { kind: 'digest', digest: grant.digest }, whose), granted);
    grants.set(key, grant);
    reads.set(joinKey(state, whose), { at: granted.at, public: granted.public });
    return { key, grant };
  }

  /** The resolution of a grant, with the previous one that may stand in while that is young enough. */
  function resolvedBy({ key, grant }: CachedGrant, repository: RepositoryName, state: string): Resolution {
    const { previous, ...reply } = grant;
    const isCached = () => {
      const now = grants.peek(key);
      return now?.at === reply.at && now.digest === reply.digest;
    };
    const isStillFresh = () => isFresh(grant) && versions.current(repository) === state && isCached();
    const resolved = { ...reply, age: undefined, isFresh: isStillFresh };
    return previous && ageOf(previous) <= staleFor ? { ...resolved, previous: staleOf(previous) } : resolved;
  }

  function staleOf(grant: AccessGrant): Resolution {
    const { previous: _, ...reply } = grant;
    return { ...reply, age: Math.floor(ageOf(grant)) };
  }

  /** Drops a public grant, and the one of its digest, which was cached with it. */
  function dropGrant(key: string, grant: AccessGrant | undefined): void {
    const [state] = key.split(' ', 1);
    grants.delete(key);
    reads.delete(`${state} none`);
    if (grant) grants.delete(`${state} ${grant.digest} none`);
  }

  async function joinOrStale(
    key: string,
    publicKey: string,
    work: () => Promise<AccessGrant>,
    signal?: AbortSignal,
  ): Promise<AccessGrant | Resolution> {
    try {
      const late = () =>
        new RegistryError('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
      return await flights.join({ key, start: work, late }, signal);
    } catch (error) {
      // A grant that upstream has refused to everyone does not stand in when upstream fails later.
      const known = grants.get(publicKey);
      if (key === publicKey && isRefusal(error)) dropGrant(publicKey, known);
      const isYoung = known?.public && ageOf(known) <= staleFor;
      if (!isYoung || isRefusal(error) || !isUpstreamFailing(error)) throw error;
      return staleOf(known);
    }
  }

  /** Whether a GET costs the account no pull, and brings a manifest that is not cached. */
  async function mayRead(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
  ): Promise<boolean> {
    if (!rateLimits.isUnlimited(context)) return false;
    return reference.kind === 'tag' || !(await content.hasManifest(repository, reference.digest, context));
  }

  async function resolveAnew(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    { state, key, publicKey }: Readonly<Record<'state' | 'key' | 'publicKey', string>>,
    purpose: Purpose,
  ): Promise<Resolution> {
    const work = async () => {
      const isNew = purpose === 'to read' && !grants.has(key) && !grants.has(publicKey);
      const by = isNew && (await mayRead(repository, reference, context)) ? 'GET' : 'HEAD';
      const at = clock();
      const { manifest, ...reply } = await resolveUpstream(
        client,
        rateLimits,
        repository,
        reference,
        context,
        by,
      );
      const { digest, contentType } = reply;
      if (manifest) await content.putManifest(repository, digest, { bytes: manifest, contentType }, context);
      return { ...reply, at };
    };
    const grant = await joinOrStale(key, publicKey, work, context.signal);
    return 'age' in grant
      ? grant
      : resolvedBy(cacheGrant(state, reference, context, grant), repository, state);
  }

  return {
    countsPulls: rateLimits.countsPulls,

    readAccess(repository, { credential }) {
      const state = versions.current(repository);
      const known = ['none', credentialKey(credential)].map((whose) => reads.get(joinKey(state, whose)));
      return known.find((read) => read && clock() - read.at < ttl * 1000);
    },

    forget(repository, reference, context) {
      const state = versions.current(repository);
      grants.delete(grantKey(state, reference, 'none'));
      grants.delete(grantKey(state, reference, credentialKey(context.credential)));
    },

    async resolve(repository, reference, context, purpose = 'to know') {
      const state = versions.current(repository);
      const publicKey = grantKey(state, reference, 'none');
      const key = grantKey(state, reference, credentialKey(context.credential));
      for (const each of [publicKey, key]) {
        const grant = grants.get(each);
        if (grant && isFresh(grant)) return resolvedBy({ key: each, grant }, repository, state);
      }
      const pending = context.resolutions?.get(key);
      if (pending) return pending;
      const resolution = resolveAnew(repository, reference, context, { state, key, publicKey }, purpose);
      context.resolutions?.set(key, resolution);
      return resolution;
    },
  };
}

/** The last public grant that named another digest. */
function previousGrant(before: AccessGrant | undefined, now: AccessGrant): AccessGrant | undefined {
  if (!before?.public || !now.public) return undefined;
  if (before.digest === now.digest) return before.previous;
  const { previous: _, ...last } = before;
  return last;
}

function grantKey(state: string, reference: Reference, credential: string): string {
  return joinKey(state, referenceText(reference), credential);
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && !isUpstreamFailing(error) && !isSpent(error);
}
