import type { Random } from '../../fuzz/random.ts';
import type { Repository } from './repository.ts';

/** A temporary fault of an upstream. */
export type FlapKind = 'error' | 'limit' | 'quota' | 'reset' | 'stall' | 'truncate' | 'wrong';

/** The users and repositories of a fault; `undefined` for all. */
export interface Scope {
  readonly user: number | undefined;
  readonly repository: number | undefined;
}

/** The requests of a fault. Docker Hub limits pulls and answers each HEAD; traffic quotas are for blobs. */
type Part = 'everything' | 'gets' | 'blobs';

interface Episode extends Scope {
  readonly kind: FlapKind;
  readonly part: Part;
  readonly until: number;
}

export interface Flap extends Scope {
  readonly at: number;
  readonly kind: FlapKind;
}

const kinds: readonly FlapKind[] = ['error', 'limit', 'quota', 'reset', 'stall', 'truncate', 'wrong'];
/** The faults of a registry that fails or limits. A quota is a refusal: stale responses do not replace it. */
const failing: ReadonlySet<FlapKind> = new Set(['error', 'limit', 'reset', 'stall', 'truncate']);

/** Faults of one upstream: they come and go, and each meeting with a request is recorded. */
export class Flaps {
  #episodes: Episode[] = [];
  #met: Flap[] = [];

  begin(random: Random, users: number, repositories: readonly Repository[]): Episode {
    const one = random.below(users);
    const { index: repository } = random.one(repositories).options;
    const scope = random.one<Scope>([
      { user: undefined, repository },
      { user: one, repository: undefined },
      { user: one, repository },
      { user: one, repository },
      { user: undefined, repository: random.oneIn(3) ? undefined : repository },
    ]);
    const kind = random.one(kinds);
    // Wrong content is wrong for every user.
    const user = kind === 'wrong' ? undefined : scope.user;
    const part = random.one<Part>(['everything', 'gets', 'blobs', 'blobs']);
    const episode = { ...scope, user, kind, part, until: performance.now() + 200 + random.below(1_200) };
    this.#episodes = [...this.#episodes.filter(({ until }) => until > performance.now()), episode];
    return episode;
  }

  /** Lets all requests for a repository fail. */
  fail({ options: { index: repository } }: Repository, milliseconds: number): void {
    const until = performance.now() + milliseconds;
    this.#episodes.push({ kind: 'error', part: 'everything', user: undefined, repository, until });
  }

  /** The fault that a request meets now. @param user undefined without a login. */
  meet(
    user: number | undefined,
    repository: number | undefined,
    { method, url }: { readonly method?: string | undefined; readonly url?: string | undefined },
  ): Flap | undefined {
    const now = performance.now();
    const isMeant = ({ part }: Episode) =>
      part === 'everything' || (method === 'GET' && (part === 'gets' || url?.includes('/blobs/') === true));
    const episode = this.#episodes.find(
      (each) => each.until > now && covers(each, user, repository) && isMeant(each),
    );
    return episode && this.note({ at: now, ...episode });
  }

  note(flap: Flap): Flap {
    this.#met.push(flap);
    return flap;
  }

  /** Whether a fault between two moments explains an error for this user in this repository. */
  explains(user: number | undefined, repository: number | undefined, start: number, end: number): boolean {
    return this.#since(start).some((each) => each.at <= end && covers(each, user, repository));
  }

  /** Whether the registry failed for any user there, so that older responses may replace its own. */
  failedIn(repository: number, start: number, end: number): boolean {
    return this.#since(start).some(
      (each) =>
        each.at <= end &&
        failing.has(each.kind) &&
        (each.repository === undefined || each.repository === repository),
    );
  }

  #since(start: number): readonly Flap[] {
    const first = this.#met.findLastIndex(({ at }) => at < start - 5_000);
    return this.#met.slice(first + 1).filter(({ at }) => at >= start);
  }
}

function covers(scope: Scope, user: number | undefined, repository: number | undefined): boolean {
  const isMeant = scope.user === undefined || scope.user === user;
  return isMeant && (scope.repository === undefined || scope.repository === repository);
}
