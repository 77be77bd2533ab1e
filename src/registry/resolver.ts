import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { joined } from '../cache/key.ts';
import { createBounded } from '../cache/lru.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { Failure, isUpstreamFailing } from '../errors.ts';
import { isSpent } from '../request/budget.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Caller } from '../upstream/request-context.ts';
import type { Purpose, Resolved } from '../upstream/resolution.ts';
import type { Content } from './content-store.ts';
import { createPullMeter } from './rate-limits.ts';
import type { Writes } from './repository-versions.ts';
import { askReference, type Said, textOf } from './resolve-upstream.ts';

export interface ResolverOptions {
  readonly client: UpstreamClient;
  /** Seconds for which an answer may be used again. */
  readonly ttl: number;
  /** Seconds for which a public answer may be used while upstream fails. */
  readonly stale: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  readonly writes: Writes;
  readonly content: Pick<Content, 'found' | 'has'>;
  /** Memory for the proofs that are remembered. */
  readonly proofBytes: number;
}

export interface Resolver {
  /**
   * Asks upstream with this caller's own right, at most once per TTL and credential, until the repository is written
   * to. Two proofs open what is
   * remembered, and nothing else: upstream gave it to a request without a credential (good for all, and stale
   * while upstream fails), or to this very Authorization value (good for that value alone, never stale).
   * @param purpose of who will read the manifest anyway, what is new is asked for together with it where upstream is
   *   known not to count pulls, which spares a question.
   * @throws Failure MANIFEST_UNKNOWN, UNAUTHORIZED, DENIED, RATE_LIMITED, or that upstream failed.
   */
  resolve(
    repository: RepositoryName,
    reference: Reference,
    caller: Caller,
    purpose?: Purpose,
  ): Promise<Resolved>;
  /** Asks anew next time: what upstream named turned out to be unusable. */
  forget(repository: RepositoryName, reference: Reference, caller: Caller): void;
  /**
   * The right of this caller to some image of the repository, as far as an earlier answer proves it. Asks no one.
   */
  readAccess(repository: RepositoryName, caller: Caller): Pick<Resolved, 'public'> | undefined;
  /** Upstream counts the pulls of this caller, as Docker Hub does those of all but paying accounts. */
  countsPulls(caller: Caller): boolean;
}

/** There are thousands of them, so it holds no more than what was said, and when. */
interface Proof extends Omit<Said, 'manifest'> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly earlier?: Proof;
}

interface KeptProof {
  readonly key: string;
  readonly proof: Proof;
}

const deadlineMs = 60_000;

const mostReaders = 10_000;

/** What a proof costs in memory, with its key. */
const bytesOfProof = 512;

export function createResolver(options: ResolverOptions): Resolver {
  const { client, ttl, stale, clock, background, writes, content, proofBytes } = options;
  const proofs = createBounded<string, Proof>(Math.ceil(proofBytes / bytesOfProof));
  /** When upstream last let a credential, or everyone, read an image of a repository. */
  const reads = createBounded<string, Pick<Proof, 'at' | 'public'>>(mostReaders);
  const flights = createSingleFlight<Proof>(deadlineMs, background);
  const meter = createPullMeter();

  const ageOf = ({ at }: Proof) => (clock() - at) / 1000;
  const isFresh = (proof: Proof) => ageOf(proof) < ttl;

  /** By its digest too: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them. */
  function keep(state: string, reference: Reference, { credential }: Caller, asked: Proof): KeptProof {
    const whose = asked.public ? 'none' : credentialKey(credential);
    const key = proofKey(state, reference, whose);
    const earlier = replaced(proofs.get(key), asked);
    const proof = earlier ? { ...asked, earlier } : asked;
    proofs.set(proofKey(state, { kind: 'digest', digest: proof.digest }, whose), asked);
    proofs.set(key, proof);
    reads.set(joined(state, whose), { at: asked.at, public: asked.public });
    return { key, proof };
  }

  /** With what may stand in for it, as long as that is young enough. */
  function resolvedBy({ key, proof }: KeptProof, repository: RepositoryName, state: string): Resolved {
    const { earlier, at, ...said } = proof;
    const isKept = () => {
      const now = proofs.peek(key);
      return now?.at === at && now.digest === said.digest;
    };
    const holds = () => isFresh(proof) && writes.state(repository) === state && isKept();
    const resolved = { ...said, staleAge: undefined, holds };
    return earlier && ageOf(earlier) <= stale ? { ...resolved, earlier: staleOf(earlier) } : resolved;
  }

  function staleOf(proof: Proof): Resolved {
    const { earlier: _, at: __, ...said } = proof;
    return { ...said, staleAge: Math.floor(ageOf(proof)) };
  }

  /** With that of the digest that it named, which was kept along with it. */
  function dropProof(key: string, proof: Proof | undefined): void {
    const [state] = key.split(' ', 1);
    proofs.delete(key);
    reads.delete(`${state} none`);
    if (proof) proofs.delete(`${state} ${proof.digest} none`);
  }

  async function askOrStale(
    key: string,
    publicKey: string,
    work: () => Promise<Proof>,
    signal?: AbortSignal,
  ): Promise<Proof | Resolved> {
    try {
      const late = () => new Failure('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
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
  async function mayRead(repository: RepositoryName, reference: Reference, caller: Caller): Promise<boolean> {
    if (!meter.isFree(caller)) return false;
    return reference.kind === 'tag' || !(await content.has(repository, reference.digest, caller));
  }

  async function askAnew(
    repository: RepositoryName,
    reference: Reference,
    caller: Caller,
    { state, key, publicKey }: Readonly<Record<'state' | 'key' | 'publicKey', string>>,
    purpose: Purpose,
  ): Promise<Resolved> {
    const ask = async () => {
      const isNew = purpose === 'to read' && !proofs.has(key) && !proofs.has(publicKey);
      const by = isNew && (await mayRead(repository, reference, caller)) ? 'GET' : 'HEAD';
      const at = clock();
      const { manifest, ...said } = await askReference(client, meter, repository, reference, caller, by);
      const { digest, contentType } = said;
      if (manifest) await content.found(repository, digest, { bytes: manifest, contentType }, caller);
      return { ...said, at };
    };
    const proof = await askOrStale(key, publicKey, ask, caller.signal);
    return 'at' in proof ? resolvedBy(keep(state, reference, caller, proof), repository, state) : proof;
  }

  return {
    countsPulls: meter.counts,

    readAccess(repository, { credential }) {
      const state = writes.state(repository);
      const known = ['none', credentialKey(credential)].map((whose) => reads.get(joined(state, whose)));
      return known.find((read) => read && clock() - read.at < ttl * 1000);
    },

    forget(repository, reference, caller) {
      const state = writes.state(repository);
      proofs.delete(proofKey(state, reference, 'none'));
      proofs.delete(proofKey(state, reference, credentialKey(caller.credential)));
    },

    async resolve(repository, reference, caller, purpose = 'to know') {
      const state = writes.state(repository);
      const publicKey = proofKey(state, reference, 'none');
      const key = proofKey(state, reference, credentialKey(caller.credential));
      for (const each of [publicKey, key]) {
        const proof = proofs.get(each);
        if (proof && isFresh(proof)) return resolvedBy({ key: each, proof }, repository, state);
      }
      const asked = caller.asked?.get(key);
      if (asked) return asked;
      const resolved = askAnew(repository, reference, caller, { state, key, publicKey }, purpose);
      caller.asked?.set(key, resolved);
      return resolved;
    },
  };
}

/** What was public before, if that was something else; of two that were replaced, the last. */
function replaced(before: Proof | undefined, now: Proof): Proof | undefined {
  if (!before?.public || !now.public) return undefined;
  if (before.digest === now.digest) return before.earlier;
  const { earlier: _, ...last } = before;
  return last;
}

function proofKey(state: string, reference: Reference, credential: string): string {
  return joined(state, textOf(reference), credential);
}

function isRefusal(error: unknown): boolean {
  return error instanceof Failure && !isUpstreamFailing(error) && !isSpent(error);
}
