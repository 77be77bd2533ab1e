import { mediaTypes } from '../../../converters/media-types.ts';
import type { Random } from '../../fuzz/random.ts';
import type { Answered } from './ask.ts';
import { digestsIn, textOf } from './markers.ts';
import type { Repository } from './repository.ts';
import type { Upstream, World } from './world.ts';

/** The source of a piece of knowledge: an attacker uses it elsewhere. */
interface Source {
  readonly upstream: Upstream;
  readonly repository: Repository;
}

export interface LearnedDigest extends Source {
  readonly digest: string;
  readonly kind: 'manifest' | 'blob';
}

export interface LearnedToken extends Source {
  readonly user: number | undefined;
  readonly value: string;
}

/** A pull by API v1: its address, its credential, and the ids that it saw. */
export interface LearnedPull extends Source {
  readonly user: number | undefined;
  readonly authorization: string | undefined;
  /** A path like `/v1ctx/…`. */
  readonly prefix: string;
  readonly token: string;
  readonly ids: readonly string[];
}

const most = 300;
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.dockerList, mediaTypes.ociIndex]);

/** All that the proxy has told to any client: every client is assumed to know it. */
export class Knowledge {
  /** Digests that no registry has: those of content that the proxy made. */
  readonly digests: LearnedDigest[] = [];
  readonly tokens: LearnedToken[] = [];
  readonly pulls: LearnedPull[] = [];

  /** Learns from a manifest. */
  learn(world: World, { ask, answer }: Answered): void {
    const { upstream, repository, kind } = ask;
    if (typeof answer === 'string' || !repository || kind !== 'manifest' || answer.status !== 200) return;
    const own = answer.header('Docker-Content-Digest') ?? '';
    const isIndex = indexTypes.has(answer.header('Content-Type') ?? '');
    const inside = digestsIn(textOf(answer.body)).map((digest) => ({
      digest,
      kind: isIndex ? 'manifest' : 'blob',
    }));
    for (const each of [{ digest: own, kind: 'manifest' }, ...inside]) {
      const isMade = each.digest !== '' && world.bytesOf(each.digest) === undefined;
      const known =
        isMade &&
        this.digests.some(({ digest, repository: at }) => digest === each.digest && at === repository);
      if (isMade && !known) this.#add(this.digests, { ...each, upstream, repository } as LearnedDigest);
    }
  }

  addToken(token: LearnedToken): void {
    this.#add(this.tokens, token);
  }

  addPull(pull: LearnedPull): void {
    this.#add(this.pulls, pull);
  }

  #add<Item>(list: Item[], item: Item): void {
    list.push(item);
    if (list.length > most) list.shift();
  }
}

export function oneOf<Item>(random: Random, items: readonly Item[]): Item | undefined {
  return items.length === 0 ? undefined : random.one(items);
}
