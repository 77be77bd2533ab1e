import type { Digest } from '../../converters/digest.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import { type Budget, isSpent } from '../budget.ts';
import { createBounded } from '../cache/bounded.ts';
import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { Failure, isUpstreamFailing } from '../errors.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { type Credential, credentialKey } from '../upstream/credential.ts';
import { askReference, textOf } from './ask-reference.ts';
import type { Content } from './content.ts';
import { createPullMeter } from './pull-meter.ts';
import type { Writes } from './writes.ts';

/** On whose behalf upstream is asked. */
export interface Caller {
  /** No layer is read for this: a search may be for a digest that nobody ever gave out. */
  readonly knownLayersOnly?: boolean;
  readonly credential: Credential;
  readonly signal?: AbortSignal | undefined;
  readonly budget: Budget;
  /** What this very request has asked before, and what came of it: it is not asked again. */
  readonly asked?: Map<string, Promise<Resolved>> | undefined;
}

/** What a reference names upstream now, and the proof that this caller may read it. */
export interface Resolved {
  readonly digest: Digest;
  readonly contentType: string;
  /** Upstream gave it to a request without anyone's credential. */
  readonly public: boolean;
  /** Seconds since upstream was asked, where the answer is older than the TTL because upstream fails. */
  readonly staleAge: number | undefined;
  /** Whether it may be used again, as it is, without a question; absent where it may not. */
  readonly holds?: () => boolean;
  /** What a tag named for all before, while it may still stand in: where upstream tells more than it gives. */
  readonly earlier?: Resolved;
}

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
}

/** What a caller goes on to do with what a reference names. */
export type Purpose = 'to know' | 'to read';

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
  /** Upstream counts the pulls of this caller, as Docker Hub does those of all but paying accounts. */
  countsPulls(caller: Caller): boolean;
}

interface Proof extends Omit<Resolved, 'earlier'> {
  readonly at: number;
  readonly earlier?: Proof;
}

const deadlineMs = 60_000;

export function createResolver(options: ResolverOptions): Resolver {
  const { client, ttl, stale, clock, background, writes, content } = options;
  const proofs = createBounded<string, Proof>(20_000);
  const flights = createSingleFlight<Proof>(deadlineMs, background);
  const meter = createPullMeter();
  const dropped = new WeakSet<() => boolean>();

  /** By its digest too: Docker ≥ 20.10 and containerd go on with the digest that a HEAD told them. */
  function keep(
    repository: RepositoryName,
    state: string,
    reference: Reference,
    { credential }: Caller,
    asked: Proof,
  ): Proof {
    const holds = () =>
      !dropped.has(holds) && clock() - asked.at < ttl * 1000 && writes.state(repository) === state;
    const proof = { ...asked, holds };
    const whose = proof.public ? 'none' : credentialKey(credential);
    const key = proofKey(state, reference, whose);
    const earlier = replaced(proofs.get(key), proof);
    const kept = earlier ? { ...proof, earlier } : proof;
    proofs.set(key, kept);
    proofs.set(proofKey(state, { kind: 'digest', digest: proof.digest }, whose), proof);
    return kept;
  }

  function drop(key: string): void {
    const { holds } = proofs.get(key) ?? {};
    if (holds) dropped.add(holds);
    proofs.delete(key);
  }

  /** With what may stand in for it, as long as that is young enough. */
  function withEarlier(proof: Proof): Resolved {
    const { earlier, ...now } = proof;
    const age = earlier ? (clock() - earlier.at) / 1000 : 0;
    return earlier && age <= stale ? { ...now, earlier: { ...earlier, staleAge: Math.floor(age) } } : now;
  }

  /** With that of the digest that it named, which was kept along with it. */
  function dropProof(key: string, proof: Proof | undefined): void {
    const [state] = key.split(' ', 1);
    drop(key);
    if (proof) drop(`${state} ${proof.digest} none`);
  }

  async function askOrStale(
    key: string,
    publicKey: string,
    work: () => Promise<Proof>,
    signal?: AbortSignal,
  ) {
    try {
      const late = () => new Failure('UPSTREAM_TIMEOUT', 'Upstream took too long to answer. Try again.');
      return await flights.join({ key, start: work, late }, signal);
    } catch (error) {
      // What upstream refuses to everyone is not given out when it fails after that.
      const known = proofs.get(publicKey);
      if (key === publicKey && isRefusal(error)) dropProof(publicKey, known);
      const age = known ? (clock() - known.at) / 1000 : Number.POSITIVE_INFINITY;
      if (!known?.public || isRefusal(error) || age > stale || !isUpstreamFailing(error)) throw error;
      return { ...known, staleAge: Math.floor(age) };
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
      const { manifest, ...said } = await askReference(client, meter, repository, reference, caller, by);
      const { digest, contentType } = said;
      if (manifest) await content.found(repository, digest, { bytes: manifest, contentType }, caller);
      return { ...said, staleAge: undefined, at: clock() };
    };
    const proof = await askOrStale(key, publicKey, ask, caller.signal);
    if (proof.staleAge === undefined) return withEarlier(keep(repository, state, reference, caller, proof));
    const { holds: _, ...old } = proof;
    return old;
  }

  return {
    countsPulls: meter.counts,

    forget(repository, reference, caller) {
      const state = writes.state(repository);
      drop(proofKey(state, reference, 'none'));
      drop(proofKey(state, reference, credentialKey(caller.credential)));
    },

    async resolve(repository, reference, caller, purpose = 'to know') {
      const state = writes.state(repository);
      const publicKey = proofKey(state, reference, 'none');
      const key = proofKey(state, reference, credentialKey(caller.credential));
      const fresh = [proofs.get(publicKey), proofs.get(key)].find(
        (proof) => proof && clock() - proof.at < ttl * 1000,
      );
      if (fresh) return fresh.earlier ? withEarlier(fresh) : fresh;
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
  return `${state} ${textOf(reference)} ${credential}`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Failure && !isUpstreamFailing(error) && !isSpent(error);
}
