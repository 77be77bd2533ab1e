import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { joinKey } from '../../cache/key.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { createJobQueue } from '../../concurrency/job-queue.ts';
import { isSpent, isUnsupported, RegistryError } from '../../errors.ts';
import { headersOf, type KnownClient } from '../../negotiation/known-clients.ts';
import type { Facts, Log } from '../../observability/log.ts';
import type { Metrics, WarmResult } from '../../observability/metrics.ts';
import { type ClientRequest, readClientRequest } from '../../registry/client-request.ts';
import { withPolicyOf } from '../../registry/client-rules.ts';
import { type Budget, createBudget } from '../../request/budget.ts';
import { isRefused } from '../../upstream/error-response.ts';
import type { Route } from '../route.ts';
import { createMinuteWarnings } from './minute-warnings.ts';

export interface WarmJobsOptions {
  readonly clock: Clock;
  readonly background: Background;
  readonly backgroundMs?: number;
  /** Maximum number of upstream and cache requests for one image; on Workers, for all of one notification. */
  readonly subrequests: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** An image to make for one generation of clients. */
export interface WarmJob {
  readonly route: Route;
  readonly repository: RepositoryName;
  readonly tag: Tag;
  /** The digest that the tag gets, where it is known. */
  readonly pushed: Digest | undefined;
  /** The time of the notification. */
  readonly since: number;
  readonly client: KnownClient;
}

/** Images that wait to be made ahead. */
export interface WarmJobs {
  /** @returns undefined if the queue is full. */
  add(job: WarmJob): 'begun' | 'waiting' | undefined;
}

const mostWaiting = 1_000;
const mostAtOnce = 2;
const longestMs = 1_800_000;

/** Tries of a job whose layers found no turn behind those of clients. */
const mostTries = 10;

/** All requests of these jobs count as one client's, so that the turns of layers are fair to all others. */
const requester = () => ({ address: 'events', login: '' });

export function createWarmJobs(options: WarmJobsOptions): WarmJobs {
  const { clock, background, backgroundMs, subrequests, log, metrics } = options;
  const withoutLogin = new Set<Route>();
  const tries = new WeakMap<WarmJob, number>();
  const warn = createMinuteWarnings(clock, log);

  const queue = createJobQueue<WarmJob>({
    mostWaiting,
    mostAtOnce,
    longestMs,
    runnerMs: backgroundMs ?? Number.POSITIVE_INFINITY,
    clock,
    background,
    onLength: metrics.warmQueue,
    createRunner() {
      // Workers count the requests of all work that one request causes.
      const shared = backgroundMs === undefined ? undefined : createBudget(subrequests);
      return (job, signal) => run(job, signal, shared ?? createBudget(subrequests));
    },
  });

  async function run(job: WarmJob, signal: AbortSignal, budget: Budget): Promise<boolean> {
    const { route, repository, tag, client } = job;
    const facts = { route: route.id, repository, tag, client: client.id };
    const started = clock();
    try {
      const result = await route.registry.warmer.warm(requestOf(job, signal, budget), repository, tag, {
        digest: job.pushed,
        age: started - job.since,
      });
      metrics.warmed(result);
      log(result === 'made' ? 'info' : 'debug', messages[result], {
        ...facts,
        milliseconds: clock() - started,
      });
      return true;
    } catch (error) {
      if (isWithoutTurn(error, signal) && tryAgain(job)) return true;
      // The tag may have moved since the notification.
      route.registry.pushes.recordWrite(repository);
      reportFailure(job, error, facts);
      return !isSpent(error);
    }
  }

  function tryAgain(job: WarmJob): boolean {
    const tried = (tries.get(job) ?? 1) + 1;
    tries.set(job, tried);
    return tried <= mostTries && queue.add(keyOf(job), job) !== undefined;
  }

  function reportFailure({ route }: WarmJob, error: unknown, facts: Facts): void {
    const result = resultOf(error, route);
    metrics.warmed(result);
    const reason = error instanceof Error ? error.message : String(error);
    if (result === 'refused') {
      if (withoutLogin.has(route)) return;
      withoutLogin.add(route);
      log('warn', messages.refused, { ...facts, reason, setting: 'REGSHIFT_UPSTREAM_AUTH' });
      return;
    }
    const isUnexpected = result === 'failed' && !(error instanceof RegistryError) && !isEnd(error);
    const stack = isUnexpected && error instanceof Error ? { stack: error.stack } : {};
    const all = { ...facts, reason, ...stack };
    // A burst of notifications about tags that are gone fails once for each tag and generation of clients.
    const kind = isUnexpected ? 'unexpected' : result;
    if (result === 'unsupported' || !warn(messages[result], all, kind)) log('debug', messages[result], all);
  }

  return {
    add(job) {
      const added = queue.add(keyOf(job), job);
      if (added) return added;
      metrics.warmed('dropped');
      warn(messages.dropped, { route: job.route.id, most: mostWaiting });
      return undefined;
    },
  };
}

const messages = {
  made: 'an image was made ahead of its first pull',
  counted: 'an image was not made ahead: the registry counts pulls',
  unsupported: 'an image was not made ahead: these clients can have no form of it',
  refused:
    'nothing is made ahead for a route: its registry asks for a login, and regshift has none of its own. Set ' +
    'REGSHIFT_UPSTREAM_AUTH to an account of regshift, or leave out what is private from the notifications',
  failed: 'an image could not be made ahead; it is made at its first pull',
  dropped: 'too many images wait to be made ahead; further ones are made at their first pull',
} as const satisfies Record<WarmResult, string>;

function keyOf({ route, repository, tag, client }: WarmJob): string {
  return joinKey(route.id, repository, tag, client.userAgent);
}

/** The request of a client of this generation, with the proxy's own account, or without one. */
function requestOf({ route, client }: WarmJob, signal: AbortSignal, budget: Budget): ClientRequest {
  const { userAgent, accept } = headersOf(client, route.registry.platform);
  const headers = new Headers({ 'user-agent': userAgent });
  for (const line of accept) headers.append('accept', line);
  const own = new Request('http://events.invalid/', { headers });
  const request = readClientRequest(own, 'http://events.invalid', '', { budget, signal });
  // A client's own login is never at hand here, and none is kept.
  const credential = route.login === 'passthrough' ? ({ kind: 'none' } as const) : route.login;
  const context = { credential, requester, signal, budget, inBackground: true };
  return withPolicyOf({ ...request, context }, route);
}

function resultOf(error: unknown, { login }: Route): WarmResult {
  if (isSpent(error)) return 'failed';
  if (isUnsupported(error)) return 'unsupported';
  const isWithout = login === 'passthrough' || login.kind === 'none';
  return isWithout && isRefused(error) ? 'refused' : 'failed';
}

/** Whether a read of a layer got no turn (`backgroundQueueMs`). */
function isWithoutTurn(error: unknown, signal: AbortSignal): boolean {
  return isEnd(error) && !signal.aborted;
}

function isEnd(error: unknown): boolean {
  return error instanceof Error && ['AbortError', 'DeadlinePassed'].includes(error.name);
}
