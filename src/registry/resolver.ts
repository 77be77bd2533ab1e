import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import { createLru } from '../cache/lru.ts';
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
  /** Seconds for which an answer may be used again. */
  readonly ttl: number;
  /** Seconds for which a public answer may be used while upstream fails. */
  readonly stale: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  readonly versions: RepositoryVersions;
  readonly content: Pick<ContentStore, 'putManifest' | 'hasManifest'>;
  /** Memory for the proofs that are remembered. */
  readonly grantBytes: number;
}

export interface Resolver {
  /**
   * Asks upstream with this caller's own right, at most once per TTL and credential, until the repository is written
   * to. Two proofs open what is
   * remembered, and nothing else: upstream gave it to a request without a credential (good for all, and stale
   * while upstream fails), or to this very Authorization value (good for that value alone, never stale).
   * @param purpose of who will read the manifest anyway, what is new is asked for together with it where upstream is
   *   known not to count pulls, which spares a question.
   * @throws RegistryError MANIFEST_UNKNOWN, UNAUTHORIZED, DENIED, RATE_LIMITED, or that upstream failed.
   */
  resolve(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    purpose?: Purpose,
  ): Promise<Resolution>;
  /** Asks anew next time: what upstream named turned out to be unusable. */
  forget(repository: RepositoryName, reference: Reference, context: RequestContext): void;
  /**
   * The right of this caller to some image of the repository, as far as an earlier answer proves it. Asks no one.
   */
  readAccess(repository: RepositoryName, context: RequestContext): Pick<Resolution, 'public'> | undefined;
  /** Upstream counts the pulls of this caller, as Docker Hub does those of all but paying accounts. */
  countsPulls(context: RequestContext): boolean;
}

/** There are thousands of them, so it holds no more than what was said, and when. */
interface AccessGrant extends Omit<UpstreamReply, 'manifest'> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly previous?: AccessGrant;
}

interface KeptProof {
  readonly key: string;
  readonly proof: AccessGrant;
}

const deadlineMs = 60_000;

const mostReaders = 10_000;

/** What a proof costs in memory, with its key. */
const bytesOfProof = 512;

export function createResolver(options: ResolverOptions): Resolver {
  const { client, ttl, stale, clock, background, versions, content, grantBytes } = options;
  const proofs = createLru<string, AccessGrant>(Math.ceil(grantBytes / bytesOfProof));
  /** When upstream last let a credential, or everyone, read an image of a repository. */
  const reads = createLru<string, Pick<AccessGrant, 'at' | 'public'>>(mostReaders);
  const flights = createSingleFlight<AccessGrant>(deadlineMs, background);
  const rateLimits = createRateLimits();

  const ageOf = ({ at }: AccessGrant) => (clock() - at) / 1000;
  const isFresh = (proof: AccessGrant) => ageOf(proof) < ttl;

  /** By its digest too: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them. */
  function keep(
    state: string,
    reference: Reference,
    { credential }: RequestContext,
    asked: AccessGrant,
  ): KeptProof {
    const whose = asked.public ? 'none' : credentialKey(credential);
    const key = proofKey(state, reference, whose);
    const previous = replaced(proofs.get(key), asked);
    const proof = previous ? { ...asked, previous } : asked;
    proofs.set(proofKey(state, { kind: 'digest', digest: proof.digest }, whose), asked);
    proofs.set(key, proof);
    reads.set(joinKey(state, whose), { at: asked.at, public: asked.public });
    return { key, proof };
  }

  /** With what may stand in for it, as long as that is young enough. */
  function resolvedBy({ key, proof }: KeptProof, repository: RepositoryName, state: string): Resolution {
    const { previous, at, ...said } = proof;
    const isKept = () => {
      const now = proofs.peek(key);
      return now?.at === at && now.digest === said.digest;
    };
    const holds = () => isFresh(proof) && versions.current(repository) === state && isKept();
    const resolved = { ...said, age: undefined, isFresh: holds };
    return previous && ageOf(previous) <= stale ? { ...resolved, previous: staleOf(previous) } : resolved;
  }

  function staleOf(proof: AccessGrant): Resolution {
    const { previous: _, at: __, ...said } = proof;
    return { ...said, age: Math.floor(ageOf(proof)) };
  }

  /** With that of the digest that it named, which was kept along with it. */
  function dropProof(key: string, proof: AccessGrant | undefined): void {
    const [state] = key.split(' ', 1);
    proofs.delete(key);
    reads.delete(`${state} none`);
    if (proof) proofs.delete(`${state} ${proof.digest} none`);
  }

  async function askOrStale(
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
      // What upstream refuses to everyone is not given out when it fails after that.
      const known = proofs.get(publicKey);
      if (key === publicKey && isRefusal(error)) dropProof(publicKey, known);
      const isYoung = known?.public && ageOf(known) <= stale;
      if (!isYoung || isRefusal(error) || !isUpstreamFailing(error)) throw error;
      return staleOf(known);
    }
  }

  /** Whether a GET costs the caller nothing, and is not for what is known already. */
  async function mayRead(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
  ): Promise<boolean> {
    if (!rateLimits.isUnlimited(context)) return false;
    return reference.kind === 'tag' || !(await content.hasManifest(repository, reference.digest, context));
  }

  async function askAnew(
    repository: RepositoryName,
    reference: Reference,
    context: RequestContext,
    { state, key, publicKey }: Readonly<Record<'state' | 'key' | 'publicKey', string>>,
    purpose: Purpose,
  ): Promise<Resolution> {
    const ask = async () => {
      const isNew = purpose === 'to read' && !proofs.has(key) && !proofs.has(publicKey);
      const by = isNew && (await mayRead(repository, reference, context)) ? 'GET' : 'HEAD';
      const at = clock();
      const { manifest, ...said } = await resolveUpstream(
        client,
        rateLimits,
        repository,
        reference,
        context,
        by,
      );
      const { digest, contentType } = said;
      if (manifest) await content.putManifest(repository, digest, { bytes: manifest, contentType }, context);
      return { ...said, at };
    };
    const proof = await askOrStale(key, publicKey, ask, context.signal);
    return 'at' in proof ? resolvedBy(keep(state, reference, context, proof), repository, state) : proof;
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
      proofs.delete(proofKey(state, reference, 'none'));
      proofs.delete(proofKey(state, reference, credentialKey(context.credential)));
    },

    async resolve(repository, reference, context, purpose = 'to know') {
      const state = versions.current(repository);
      const publicKey = proofKey(state, reference, 'none');
      const key = proofKey(state, reference, credentialKey(context.credential));
      for (const each of [publicKey, key]) {
        const proof = proofs.get(each);
        if (proof && isFresh(proof)) return resolvedBy({ key: each, proof }, repository, state);
      }
      const asked = context.resolutions?.get(key);
      if (asked) return asked;
      const resolved = askAnew(repository, reference, context, { state, key, publicKey }, purpose);
      context.resolutions?.set(key, resolved);
      return resolved;
    },
  };
}

/** What was public before, if that was something else; of two that were replaced, the last. */
function replaced(before: AccessGrant | undefined, now: AccessGrant): AccessGrant | undefined {
  if (!before?.public || !now.public) return undefined;
  if (before.digest === now.digest) return before.previous;
  const { previous: _, ...last } = before;
  return last;
}

function proofKey(state: string, reference: Reference, credential: string): string {
  return joinKey(state, referenceText(reference), credential);
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && !isUpstreamFailing(error) && !isSpent(error);
}
