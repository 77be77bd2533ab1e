import type { Logins } from './identity.ts';
import type { Repository } from './repository.ts';

interface Presence {
  under: number;
  /** When the last of these requests ended. */
  ended: number;
}

/** For so long after its client has left, a request may go on: what it has begun is of use to the next one. */
const afterwards = 15_000;

/** Which clients ask for what, so that each credential that arrives upstream can be told from a stray one. */
export class CredentialWatch {
  readonly #present = new Map<string, Presence>();

  /** @returns to be called when the client has its answer. */
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

  /** @returns what is wrong with a credential that has arrived. */
  complaint(
    upstream: number,
    logins: Logins,
    authorization: string,
    repository: Repository | undefined,
  ): string | undefined {
    // A token got without a login opens what is open to everyone.
    if (logins.isAnonymous(authorization)) return undefined;
    // A token that the proxy has got for a login counts for that login.
    const basic = logins.ownerOf(authorization)?.basic;
    const isPresent = [authorization, ...(basic ? [basic] : [])].some((each) => {
      const presence = this.#present.get(keyOf(upstream, each, repository));
      return presence && (presence.under > 0 || performance.now() - presence.ended < afterwards);
    });
    if (isPresent) return undefined;
    const where = repository ? ` for ${repository.name}` : '';
    return `upstream ${upstream} got the credential ${authorization.slice(0, 20)}… of ${logins.ownerOf(authorization)?.name ?? 'nobody'}${where}, and no client of that login asks there`;
  }
}

function keyOf(upstream: number, authorization: string, repository: Repository | undefined): string {
  return `${upstream} ${authorization} ${repository?.name ?? ''}`;
}
