import type { RepositoryName } from '../../converters/reference.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import {
  createLeaseLine,
  type LeaseLine,
  type LeaseRefusal,
  type LineLease,
} from '../concurrency/lease-line.ts';
import { createSharedWork, type SharedRun } from '../concurrency/shared-work.ts';
import { RegistryError, searchEnded } from '../errors.ts';
import type { Budget } from '../request/budget.ts';
import { ownerOf } from '../request/requester.ts';
import type { RequestContext } from '../upstream/request-context.ts';

/** A search that has its turn. */
export interface SearchRun {
  /** The context of the search's requests to upstream: each of them is a step, and none outlives the search. */
  readonly context: RequestContext;
  /** Called between two parts of the work. @throws RegistryError OVERLOADED where the search must end. */
  step(): void;
  /** Waits for a part of the work that may take long without a request, like reading a layer. */
  during<Value>(work: Promise<Value>): Promise<Value>;
}

export interface BoundedSearch<Found> {
  /**
   * Runs a search when its turn comes. Calls with the same key share one search.
   * @throws RegistryError OVERLOADED, with `Retry-After`, where it has no turn, or does not end, in time.
   */
  run(
    key: string,
    repository: RepositoryName,
    context: RequestContext,
    search: (run: SearchRun) => Promise<Found>,
  ): Promise<Found>;
}

export interface BoundedSearchOptions {
  /** The route's id. */
  readonly route: string;
  /** The line of all searches of the process. */
  readonly line: LeaseLine;
  readonly clock: Clock;
  readonly background: Background;
}

const patienceMs = 30_000;
/** Shorter than `patienceMs`: a search that makes no progress must not cost the next one its turn. */
const staleMs = 20_000;
const deadlineMs = 120_000;
/** The time between two looks whether a client still waits for a search, in milliseconds. */
const lookMs = 1_000;
/** Searches that run at the same time, for all routes and repositories. Each sends up to six requests at a time. */
const mostAtOnce = 4;
const waiting = { all: 256, ofAddress: 64 };

/** Creates the line of all searches of the process. */
export function createSearchLine(clock: Clock): LeaseLine {
  return createLeaseLine({ limit: mostAtOnce, waiting, staleMs, patienceMs, clock, refuse: noTurn });
}

/**
 * Bounds the cost of searches for made-up names: few run at a time in the process, and one in each repository, in an
 * order that is fair by route, then by requester.
 */
export function createBoundedSearch<Found>(options: BoundedSearchOptions): BoundedSearch<Found> {
  const { route, line, clock, background } = options;
  const shared = createSharedWork<Found>({ staleMs, clock, background });

  /** @throws RegistryError OVERLOADED where there is no turn. */
  function turnOf(repository: RepositoryName, { requester }: RequestContext, { isWanted, touch }: SharedRun) {
    const { address, login } = requester();
    return line.acquire({
      key: `${route} ${repository}`,
      // The requester comes before the repository, which has one search at a time anyway: a requester that names a
      // hundred repositories has one turn among the requesters of the route.
      owner: [route, ...ownerOf({ address, login }), repository],
      address,
      isWanted,
      onWait: touch,
    });
  }

  return {
    run: (key, repository, context, search) =>
      shared.join(key, context.signal, async (sharedRun) => {
        const lease = await turnOf(repository, context, sharedRun);
        const unwanted = new AbortController();
        const look = setInterval(() => {
          if (!sharedRun.isWanted()) unwanted.abort(interrupted(repository));
        }, lookMs);
        try {
          return await search(
            runOf(repository, { ...context, signal: unwanted.signal }, lease, sharedRun, clock),
          );
        } finally {
          clearInterval(look);
          lease.release();
        }
      }),
  };
}

function runOf(
  repository: RepositoryName,
  context: RequestContext,
  lease: LineLease,
  { isWanted, touch }: SharedRun,
  clock: Clock,
): SearchRun {
  const until = clock() + deadlineMs;
  function step(): void {
    touch();
    if (!lease.touch() || !isWanted()) throw interrupted(repository);
    if (clock() >= until) throw unfinished(repository);
  }
  const budget: Budget = {
    stats: context.budget.stats,
    spend() {
      step();
      context.budget.spend();
    },
  };
  return {
    // Other clients may wait for the search too: its requests end with the last of them.
    context: { ...context, budget, resolutions: undefined },
    step,
    async during(work) {
      const beat = setInterval(() => {
        touch();
        lease.touch();
      }, staleMs / 4);
      try {
        return await work;
      } finally {
        clearInterval(beat);
      }
    },
  };
}

const soonS = '5';
const laterS = '15';

function noTurn(refusal: LeaseRefusal, place: string): RegistryError {
  const repository = place.slice(place.lastIndexOf(' ') + 1);
  const message =
    refusal === 'full'
      ? `regshift has too many searches in line to look for this digest in ${repository} now. Try again in ${laterS} s.`
      : `regshift is still searching for other digests, and the search in ${repository} had no turn within ` +
        `${patienceMs / 1000} s. Try again in ${laterS} s.`;
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': laterS } });
}

function interrupted(repository: RepositoryName): RegistryError {
  const message =
    `The search in ${repository} made no progress for ${staleMs / 1000} s, and another search took its turn. ` +
    `Try again in ${soonS} s.`;
  return ended(message);
}

function unfinished(repository: RepositoryName): RegistryError {
  const message =
    `The search in ${repository} did not end within ${deadlineMs / 1000} s. regshift keeps the images that it read. ` +
    `Try again in ${soonS} s.`;
  return ended(message);
}

function ended(message: string): RegistryError {
  return new RegistryError('OVERLOADED', message, {
    headers: { 'retry-after': soonS },
    detail: { reason: searchEnded },
  });
}
