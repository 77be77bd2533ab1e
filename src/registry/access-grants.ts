import { isTagOfDigest, type Reference, type RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import { referenceText } from '../upstream/api/paths.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Resolution } from '../upstream/resolution.ts';
import type { AccessEpoch } from './access-epochs.ts';
import type { RepositoryVersions } from './repository-versions.ts';
import type { UpstreamReply } from './resolve-upstream.ts';

/** Upstream's reply, and its time. There are thousands of them, so it holds nothing else. */
export interface AccessGrant extends Omit<UpstreamReply, 'manifest'> {
  /** By the clock: when upstream was asked. */
  readonly at: number;
  /** The number of doubtful writes to the repository then: a later one ends its freshness. */
  readonly doubts: number;
  readonly epoch: AccessEpoch;
}

/** A public grant may have the one before it, which named another digest. */
interface StoredGrant extends AccessGrant {
  readonly previous?: AccessGrant;
}

/** The part of a grant that proves the right to some image of the repository. */
type ReadProof = Pick<AccessGrant, 'at' | 'public' | 'epoch' | 'doubts'>;

/** A reference, and the credential that asks for it, with the keys of their grants. */
export interface GrantSubject {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  /** The repository in the version of this moment (`RepositoryVersions`). */
  readonly state: string;
  /** The key of the credential (`credentialKey`). */
  readonly whose: string;
  /** The key of the grant to this credential. */
  readonly key: string;
  /** The key of the grant to everyone. */
  readonly publicKey: string;
}

/**
 * The grants of access that upstream has given. Only two give access to cached content: upstream gave it to a request
 * without a credential (valid for all, and stale while upstream fails), or to this very Authorization value (valid for
 * that value alone, never stale).
 */
export interface AccessGrants {
  /** Returns the subject of a request in the present version of its repository. */
  subject(repository: RepositoryName, reference: Reference, context: RequestContext): GrantSubject;
  /** The seconds for which a grant of a reference may be used again. */
  ttlOf(reference: Reference): number;
  /** The resolution of a fresh grant. Sends no request. */
  fresh(subject: GrantSubject): Resolution | undefined;
  /** Whether there is a grant, fresh or not. */
  has(subject: GrantSubject): boolean;
  /** Remembers a grant. @returns its resolution. */
  add(subject: GrantSubject, grant: AccessGrant): Resolution;
  /** The public grant that may stand in while upstream fails. */
  standIn(subject: GrantSubject): Resolution | undefined;
  /** Drops the public grant that upstream has refused to everyone: it does not stand in when upstream fails later. */
  refused(subject: GrantSubject): void;
  /** Drops the grants of a subject. */
  forget(subject: GrantSubject): void;
  /** The right to some image of the repository, as far as an earlier grant proves it. */
  readAccess(repository: RepositoryName, context: RequestContext): ReadProof | undefined;
}

export interface AccessGrantsOptions {
  /** Seconds for which a grant may be used again. */
  readonly ttl: number;
  /** Seconds for which a public grant may be used while upstream fails. */
  readonly staleFor: number;
  readonly clock: Clock;
  readonly versions: RepositoryVersions;
  readonly memory: MemoryBudget;
}

export function createAccessGrants({
  ttl,
  staleFor,
  clock,
  versions,
  memory,
}: AccessGrantsOptions): AccessGrants {
  const grants = memory.table<StoredGrant>('access-grants');
  /** The last time that upstream let a credential, or everyone, read an image of a repository. */
  const reads = memory.table<ReadProof>('read-access');

  const ageOf = ({ at }: Pick<AccessGrant, 'at'>) => (clock() - at) / 1000;
  /** Programs write the list under a tag of a digest again with an entry more: an old list would lose the last entries. */
  const ttlOf = (reference?: Reference) =>
    reference?.kind === 'tag' && isTagOfDigest(reference.tag) ? 0 : ttl;
  const isFresh = (proof: ReadProof, repository: RepositoryName, reference?: Reference) =>
    !proof.epoch.hasEnded && proof.doubts === versions.doubts(repository) && ageOf(proof) < ttlOf(reference);
  /** Whether a grant may stand in while upstream fails. */
  const isUsable = (grant: AccessGrant) => grant.public && !grant.epoch.hasEnded && ageOf(grant) <= staleFor;
  const staleOf = (grant: AccessGrant): Resolution => ({
    ...replyOf(grant),
    age: Math.floor(ageOf(grant)),
  });

  /** The resolution of a grant, with the previous one that may stand in while that is young enough. */
  function resolvedBy(key: string, grant: StoredGrant, subject: GrantSubject): Resolution {
    const { repository, reference, state } = subject;
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

  return {
    ttlOf,

    subject(repository, reference, { credential }) {
      const state = versions.written(repository);
      const whose = credentialKey(credential);
      const key = grantKey(state, reference, whose);
      const publicKey = grantKey(state, reference, 'none');
      return { repository, reference, state, whose, key, publicKey };
    },

    fresh(subject) {
      for (const key of [subject.publicKey, subject.key]) {
        const grant = grants.get(key);
        if (grant && isFresh(grant, subject.repository, subject.reference))
          return resolvedBy(key, grant, subject);
      }
      return undefined;
    },

    has: ({ key, publicKey }) => grants.has(key) || grants.has(publicKey),

    // Also by its digest: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them.
    add(subject, granted) {
      const { state } = subject;
      const whose = granted.public ? 'none' : subject.whose;
      const key = granted.public ? subject.publicKey : subject.key;
      // A newer grant, from after the refusal, may be cached already.
      if (granted.epoch.hasEnded) return resolvedBy(key, granted, subject);
      const previous = previousGrant(grants.get(key), granted);
      const grant = previous ? { ...granted, previous } : granted;
      grants.set(grantKey(state, { kind: 'digest', digest: grant.digest }, whose), granted);
      grants.set(key, grant);
      const { at, public: isPublic, epoch, doubts } = granted;
      reads.set(joinKey(state, whose), { at, public: isPublic, epoch, doubts });
      return resolvedBy(key, grant, subject);
    },

    standIn({ publicKey }) {
      const grant = grants.get(publicKey);
      return grant && isUsable(grant) ? staleOf(grant) : undefined;
    },

    // With the one of its digest, which was cached with it.
    refused({ state, publicKey }) {
      const grant = grants.get(publicKey);
      grants.delete(publicKey);
      reads.delete(joinKey(state, 'none'));
      if (grant) grants.delete(grantKey(state, { kind: 'digest', digest: grant.digest }, 'none'));
    },

    forget({ key, publicKey }) {
      grants.delete(publicKey);
      grants.delete(key);
    },

    readAccess(repository, { credential }) {
      const state = versions.written(repository);
      const known = ['none', credentialKey(credential)].map((whose) => reads.get(joinKey(state, whose)));
      return known.find((read) => read && isFresh(read, repository));
    },
  };
}

/** A grant without what the grants alone need. */
export function replyOf({ previous: _, epoch: __, doubts: ___, ...reply }: StoredGrant) {
  return reply;
}

/** The last public grant that named another digest. */
function previousGrant(before: StoredGrant | undefined, now: AccessGrant): AccessGrant | undefined {
  if (!before?.public || !now.public) return undefined;
  if (before.digest === now.digest) return before.previous;
  const { previous: _, ...last } = before;
  return last;
}

function grantKey(state: string, reference: Reference, credential: string): string {
  return joinKey(state, referenceText(reference), credential);
}
