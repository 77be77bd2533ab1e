import type { Logins } from './identity.ts';
import type { Repository } from './repository.ts';
import type { Stalls } from './stalls.ts';

interface Presence {
  under: number;
  /** The time when the last of these requests ended. */
  ended: number;
}

/** Milliseconds for which a request may continue after its client has left: the next client can use its result. */
const afterwards = 15_000;

/** Records which clients request what, to recognize a stray credential upstream. */
export class CredentialWatch {
  readonly #stalls: Stalls;
  readonly #present = new Map<string, Presence>();

  /** @param stalls extend the time for which a request may continue. */
  constructor(stalls: Stalls) {
    this.#stalls = stalls;
  }

  /** Records a client's request. @returns a function to call when the client has its response. */
  enter(upstream: number, authorization: string, repository: Repository | undefined): () => void {
    const keys = [keyOf(upstream, authorization, repository), keyOf(upstream, authorization, undefined)];
    const all = keys.map((key) => {
      const presence = this.#present.get(key) ?? { under: 0, ended: 0 };
      this.#present.set(key, presence);
      presence.under += 1;
      return presence;
    });
    return () => {
      for (const presence of all) {
        presence.under -= 1;
        presence.ended = performance.now();
      }
    };
  }

  /** @returns the violation of a credential that arrived upstream. */
  complaint(
    upstream: number,
    logins: Logins,
    authorization: string,
    repository: Repository | undefined,
  ): string | undefined {
    // A token that needed no login opens only public content.
    if (logins.isAnonymous(authorization)) return undefined;
    // A token that the proxy got for a login counts for that login.
    const basic = logins.ownerOf(authorization)?.basic;
    const now = performance.now();
    const isPresent = [authorization, ...(basic ? [basic] : [])].some((each) => {
      const presence = this.#present.get(keyOf(upstream, each, repository));
      if (presence === undefined || presence.under > 0) return presence !== undefined;
      return now - presence.ended < this.#stalls.extend(afterwards, now, now);
    });
    if (isPresent) return undefined;
    const where = repository ? ` for ${repository.name}` : '';
    return `upstream ${upstream} got the credential ${authorization.slice(0, 20)}… of ${logins.ownerOf(authorization)?.name ?? 'nobody'}${where}, and no client of that login asks there`;
  }
}

function keyOf(upstream: number, authorization: string, repository: Repository | undefined): string {
  return `${upstream} ${authorization} ${repository?.name ?? ''}`;
}
