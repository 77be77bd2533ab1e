import type { TakeTurn } from '../../converters/ports.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import type { Background } from '../concurrency/background.ts';
import { withDeadline } from '../concurrency/deadline.ts';
import { isDecided, isUpstreamFailing, RegistryError } from '../errors.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { isRefused } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Purpose, Resolution } from '../upstream/resolution.ts';
import { createSharedQuestions, type SharedQuestion } from '../upstream/shared-questions.ts';
import { standInMs } from '../upstream/timeouts.ts';
import type { AccessEpochs } from './access-epochs.ts';
import {
  type AccessGrant,
  type AccessGrantsOptions,
  createAccessGrants,
  type GrantSubject,
  replyOf,
} from './access-grants.ts';
import type { ContentStore } from './content-store.ts';
import { createHeadRefusals } from './head-refusals.ts';
import { createRateLimits } from './rate-limits.ts';
import { resolveUpstream, type UpstreamReply } from './resolve-upstream.ts';

export interface ResolverOptions extends AccessGrantsOptions {
  readonly client: UpstreamClient;
  /** The longest wait for work that requests share, in milliseconds (`sharedWorkMs`). */
  readonly deadlineMs?: number;
  readonly background: Background;
  readonly turn: TakeTurn;
  readonly epochs: AccessEpochs;
  readonly content: Pick<ContentStore, 'putManifest' | 'hasManifest'>;
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

export function createResolver(options: ResolverOptions): Resolver {
  const { client, clock, background, versions, epochs, content, turn, memory } = options;
  const grants = createAccessGrants(options);
  const flights = createSharedQuestions<AccessGrant>(background, options.deadlineMs);
  const rateLimits = createRateLimits(memory);
  const heads = createHeadRefusals(memory, clock);
  const reading = new Set<string>();

  async function joinOrStale(
    asking: Promise<AccessGrant>,
    subject: GrantSubject,
    mayBeStale: boolean,
  ): Promise<AccessGrant | Resolution> {
    try {
      return await asking;
    } catch (error) {
      const standIn = mayBeStale ? grants.standIn(subject) : undefined;
      if (subject.whose === 'none' && isDecided(error)) grants.refused(subject);
      if (standIn === undefined || isDecided(error) || !isUpstreamFailing(error)) throw error;
      return standIn;
    }
  }

  /** @param refusal that of an earlier HEAD. */
  async function askUpstream(
    { repository, reference, whose }: GrantSubject,
    context: RequestContext,
    by: 'HEAD' | 'GET',
    refusal: RegistryError | undefined,
  ): Promise<UpstreamReply> {
    const parts = { client, rateLimits, turn, heads, content, reading };
    const isConfirmed = () => epochs.wouldEnd(repository);
    try {
      return await resolveUpstream(parts, { repository, reference, context, by, refusal, isConfirmed });
    } catch (error) {
      // For a login, which is sent once (`resolveUpstream`), the refusal of a HEAD is final.
      if (context.credential.kind !== 'none' && isRefused(error)) epochs.end(repository, whose);
      throw error;
    }
  }

  async function resolveAnew(
    subject: GrantSubject,
    context: RequestContext,
    purpose: Purpose,
  ): Promise<Resolution> {
    const { repository, reference, whose, key } = subject;
    const question = async (signal: AbortSignal, refusal?: RegistryError) => {
      const isNew = purpose !== 'to know' && !grants.has(subject);
      // Also for a digest whose manifest is cached: a refusal of a HEAD has no words, and would tell so.
      const byGet = refusal !== undefined || (isNew && rateLimits.isUnlimited(context));
      const by = byGet ? 'GET' : 'HEAD';
      const at = clock();
      const doubts = versions.doubts(repository);
      const { manifest, ...reply } = await askUpstream(subject, { ...context, signal }, by, refusal);
      const { digest, contentType } = reply;
      if (manifest) await content.putManifest(repository, digest, { bytes: manifest, contentType }, context);
      return { ...reply, at, doubts };
    };
    const arrived = clock();
    const isOfPush = purpose === 'to compare';
    const shareMs = isOfPush ? 0 : grants.ttlOf(reference) * 1000;
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
    const hasStandIn = !isOfPush && grants.standIn(subject) !== undefined;
    const asking = hasStandIn ? withDeadline(standInMs, context.signal, ask) : ask(context.signal);
    const grant = await joinOrStale(asking, subject, !isOfPush);
    if (!('epoch' in grant)) return grant;
    const resolution = grants.add(subject, grant);
    return isOfPush ? { ...replyOf(grant), age: undefined } : resolution;
  }

  return {
    countsPulls: rateLimits.countsPulls,
    doubtsRefusals: () => heads.areDoubtful,
    readAccess: grants.readAccess,
    forget: (repository, reference, context) => grants.forget(grants.subject(repository, reference, context)),

    async resolve(repository, reference, context, purpose = 'to know') {
      const subject = grants.subject(repository, reference, context);
      const fresh = purpose === 'to compare' ? undefined : grants.fresh(subject);
      if (fresh) return fresh;
      const isAsked = purpose === 'to confirm' || purpose === 'to compare';
      const pending = isAsked ? undefined : context.resolutions?.get(subject.key);
      if (pending) return pending;
      const resolution = resolveAnew(subject, context, purpose);
      context.resolutions?.set(subject.key, resolution);
      return resolution;
    },
  };
}
