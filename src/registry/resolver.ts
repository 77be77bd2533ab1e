import type { TakeTurn } from '../../converters/ports.ts';
import { isTagOfDigest, type Reference, type RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { withDeadline } from '../concurrency/deadline.ts';
import { isDecided, isUpstreamFailing, RegistryError } from '../errors.ts';
import { referenceText } from '../upstream/api/paths.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { isRefused } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Purpose, Resolution } from '../upstream/resolution.ts';
import { createSharedQuestions, type SharedQuestion } from '../upstream/shared-questions.ts';
import { standInMs } from '../upstream/timeouts.ts';
import type { AccessEpoch, AccessEpochs } from './access-epochs.ts';
import type { ContentStore } from './content-store.ts';
import { createHeadRefusals } from './head-refusals.ts';
import { createRateLimits } from './rate-limits.ts';
import type { RepositoryVersions } from './repository-versions.ts';
import { resolveUpstream, type UpstreamReply } from './resolve-upstream.ts';

export interface ResolverOptions {
  readonly client: UpstreamClient;
  /** Seconds for which a resolution may be used again. */
  readonly ttl: number;
  /** Seconds for which a public resolution may be used while upstream fails. */
  readonly staleFor: number;
  /** The longest wait for work that requests share, in milliseconds (`sharedWorkMs`). */
  readonly deadlineMs?: number;
  readonly clock: Clock;
  readonly background: Background;
  readonly turn: TakeTurn;
  readonly versions: RepositoryVersions;
  readonly epochs: AccessEpochs;
  readonly content: Pick<ContentStore, 'putManifest' | 'hasManifest'>;
  readonly memory: MemoryBudget;
}

export interface Resolver {
  /**
   * Resolves a reference with the credential of the request, at most once per TTL and credential, until the repository
   * is written to or refused. Only two grants give access to cached content: upstream gave it to a request without a
   * credential (valid for all, and stale while upstream fails), or to this very Authorization value (valid for that
   * value alone, never stale).
   * @param purpose `to read` if the manifest is read next: a new reference is then resolved by GET, where upstream is
   *   known not to count pulls, which saves a request. `to send` if a client asks for it by GET, too: the refusal of a
   *   HEAD may then not be the answer (`HeadRefusals`). `to confirm` if also a search has not found the digest. `to
   *   compare` for a pusher, which pushes nothing where upstream has its manifest: only upstream's reply to this request
   *   counts then.
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
  /** Whether the refusal of a HEAD may be wrong. */
  doubtsRefusals(): boolean;
  /** Whether upstream counts the pulls of this account, as Docker Hub does for all but paying accounts. */
  countsPulls(context: RequestContext): boolean;
}

/** Upstream's reply, and its time. There are thousands of them, so it holds nothing else. */
interface AccessGrant extends Omit<UpstreamReply, 'manifest'> {
  /** By the clock: when upstream was asked. */
  readonly at: number;
  /** The number of doubtful writes to the repository then: a later one ends its freshness. */
  readonly doubts: number;
  readonly epoch: AccessEpoch;
  readonly previous?: AccessGrant;
}

/** The part of a grant that proves the right to some image of the repository. */
type ReadProof = Pick<AccessGrant, 'at' | 'public' | 'epoch' | 'doubts'>;

/** A grant and its key. */
interface CachedGrant {
  readonly key: string;
  readonly grant: AccessGrant;
}

export function createResolver(options: ResolverOptions): Resolver {
  const { client, ttl, staleFor, clock, background, versions, epochs, content, turn, memory } = options;
  const grants = memory.table<AccessGrant>('access-grants');
  /** The last time that upstream let a credential, or everyone, read an image of a repository. */
  const reads = memory.table<ReadProof>('read-access');
  const flights = createSharedQuestions<AccessGrant>(background, options.deadlineMs);
  const rateLimits = createRateLimits(memory);
  const heads = createHeadRefusals(memory, clock);
  const reading = new Set<string>();

  const ageOf = ({ at }: Pick<AccessGrant, 'at'>) => (clock() - at) / 1000;
  /** Programs write the list under a tag of a digest again with an entry more: an old list would lose the last entries. */
  const ttlOf = (reference?: Reference) =>
    reference?.kind === 'tag' && isTagOfDigest(reference.tag) ? 0 : ttl;
  const isFresh = (proof: ReadProof, repository: RepositoryName, reference?: Reference) =>
    !proof.epoch.hasEnded && proof.doubts === versions.doubts(repository) && ageOf(proof) < ttlOf(reference);
  /** Whether a grant may stand in while upstream fails. */
  const isUsable = (grant: AccessGrant) => grant.public && !grant.epoch.hasEnded && ageOf(grant) <= staleFor;

  /** Caches a grant, by its digest too: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them. */
  function cacheGrant(
    state: string,
    reference: Reference,
    { credential }: RequestContext,
    granted: AccessGrant,
  ): CachedGrant {
    const whose = granted.public ? 'none' : credentialKey(credential);
    const key = grantKey(state, reference, whose);
    // A newer grant, from after the refusal, may be cached already.
    if (granted.epoch.hasEnded) return { key, grant: granted };
    const previous = previousGrant(grants.get(key), granted);
    const grant = previous ? { ...granted, previous } : granted;
    grants.set(grantKey(state, { kind: 'digest', digest: grant.digest }, whose), granted);
    grants.set(key, grant);
    const { at, public: isPublic, epoch, doubts } = granted;
    reads.set(joinKey(state, whose), { at, public: isPublic, epoch, doubts });
    return { key, grant };
  }

  /** The resolution of a grant, with the previous one that may stand in while that is young enough. */
  function resolvedBy(
    { key, grant }: CachedGrant,
    repository: RepositoryName,
    reference: Reference,
    state: string,
  ): Resolution {
    const { previous } = grant;
    const reply = replyOf(grant);
    const isCached = () => {
      const now = grants.peek(key);
      return now?.at === reply.at && now.digest === reply.digest;
    };
    const isStillFresh = () =>
      isFresh(grant, repository, reference) && versions.written(repository) === state && isCached();
    const resolved = { ...reply, age: undefined, isFresh: isStillFresh };
    return previous && isUsable(previous) ? { ...resolved, previous: staleOf(previous) } : resolved;
  }

  function staleOf(grant: AccessGrant): Resolution {
    return { ...replyOf(grant), age: Math.floor(ageOf(grant)) };
  }

  /** Drops a public grant, and the one of its digest, which was cached with it. */
  function dropGrant(key: string, grant: AccessGrant | undefined): void {
    const [state] = key.split(' ', 1);
    grants.delete(key);
    reads.delete(`${state} none`);
    if (grant) grants.delete(`${state} ${grant.digest} none`);
  }

  async function joinOrStale(
    asking: Promise<AccessGrant>,
    { key, publicKey }: Readonly<Record<'key' | 'publicKey', string>>,
    mayBeStale: boolean,
  ): Promise<AccessGrant | Resolution> {
    try {
      return await asking;
    } catch (error) {
      // A grant that upstream has refused to everyone does not stand in when upstream fails later.
      const known = grants.get(publicKey);
      if (key === publicKey && isDecided(error)) dropGrant(publicKey, known);
      if (!mayBeStale || !known || !isUsable(known) || isDecided(error) || !isUpstreamFailing(error))
        throw error;
      return staleOf(known);
    }
  }

  async function askUpstream(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    whose: string,
    by: 'HEAD' | 'GET',
    refusal: RegistryError | undefined,
  ): Promise<UpstreamReply> {
    try {
      const isConfirmed = () => epochs.wouldEnd(repository);
      const parts = { client, rateLimits, turn, heads, content, reading };
      return await resolveUpstream(parts, repository, reference, context, by, isConfirmed, refusal);
    } catch (error) {
      // For a login, which is sent once (`resolveUpstream`), the refusal of a HEAD is final.
      if (context.credential.kind !== 'none' && isRefused(error)) epochs.end(repository, whose);
      throw error;
    }
  }

  async function resolveAnew(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    { state, whose, key, publicKey }: Readonly<Record<'state' | 'whose' | 'key' | 'publicKey', string>>,
    purpose: Purpose,
  ): Promise<Resolution> {
    const question = async (signal: AbortSignal, refusal?: RegistryError) => {
      const isNew = purpose !== 'to know' && !grants.has(key) && !grants.has(publicKey);
      // Also for a digest whose manifest is cached: a refusal of a HEAD has no words, and would tell so.
      const byGet = refusal !== undefined || (isNew && rateLimits.isUnlimited(context));
      const by = byGet ? 'GET' : 'HEAD';
      const at = clock();
      const doubts = versions.doubts(repository);
      const shared = { ...context, signal };
      const { manifest, ...reply } = await askUpstream(repository, reference, shared, whose, by, refusal);
      const { digest, contentType } = reply;
      if (manifest) await content.putManifest(repository, digest, { bytes: manifest, contentType }, context);
      return { ...reply, at, doubts };
    };
    const arrived = clock();
    const isOfPush = purpose === 'to compare';
    const shareMs = isOfPush ? 0 : ttlOf(reference) * 1000;
    const work = (refusal?: RegistryError): SharedQuestion<AccessGrant> => ({
      key: refusal ? `${key} GET` : key,
      // Other clients may wait for the resolution too: it ends with the last of them.
      start: (abandoned) => {
        const signal = abandoned();
        return epochs.ask(repository, whose, () => question(signal, refusal));
      },
      // The question of another request may have been sent before a refusal or a write, or more than a TTL ago.
      suits: ({ epoch, at, doubts }) =>
        !epoch.hasEnded && doubts === versions.doubts(repository) && at + shareMs >= arrived,
    });
    const ask = (signal: AbortSignal | undefined) =>
      flights.join(work(), signal).catch((error: unknown) => {
        if (!(error instanceof RegistryError) || !heads.doubts(error, reference, purpose, context))
          throw error;
        return flights.join(work(error), signal);
      });
    const known = grants.get(publicKey);
    const hasStandIn = !isOfPush && known !== undefined && isUsable(known);
    const asking = hasStandIn ? withDeadline(standInMs, context.signal, ask) : ask(context.signal);
    const grant = await joinOrStale(asking, { key, publicKey }, !isOfPush);
    if (!('epoch' in grant)) return grant;
    const cached = cacheGrant(state, reference, context, grant);
    if (isOfPush) return { ...replyOf(cached.grant), age: undefined };
    return resolvedBy(cached, repository, reference, state);
  }

  return {
    countsPulls: rateLimits.countsPulls,
    doubtsRefusals: () => heads.areDoubtful,

    readAccess(repository, { credential }) {
      const state = versions.written(repository);
      const known = ['none', credentialKey(credential)].map((whose) => reads.get(joinKey(state, whose)));
      return known.find((read) => read && isFresh(read, repository));
    },

    forget(repository, reference, context) {
      const state = versions.written(repository);
      grants.delete(grantKey(state, reference, 'none'));
      grants.delete(grantKey(state, reference, credentialKey(context.credential)));
    },

    async resolve(repository, reference, context, purpose = 'to know') {
      const state = versions.written(repository);
      const publicKey = grantKey(state, reference, 'none');
      const whose = credentialKey(context.credential);
      const key = grantKey(state, reference, whose);
      for (const each of purpose === 'to compare' ? [] : [publicKey, key]) {
        const grant = grants.get(each);
        if (grant && isFresh(grant, repository, reference))
          return resolvedBy({ key: each, grant }, repository, reference, state);
      }
      const isAsked = purpose === 'to confirm' || purpose === 'to compare';
      const pending = isAsked ? undefined : context.resolutions?.get(key);
      if (pending) return pending;
      const resolution = resolveAnew(
        repository,
        reference,
        context,
        { state, whose, key, publicKey },
        purpose,
      );
      context.resolutions?.set(key, resolution);
      return resolution;
    },
  };
}

/** A grant without what the resolver alone needs. */
function replyOf({ previous: _, epoch: __, doubts: ___, ...reply }: AccessGrant) {
  return reply;
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
