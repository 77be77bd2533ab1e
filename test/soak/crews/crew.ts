import type { World } from '../../support/isolation/world.ts';
import type { PushUpstream } from '../push-upstream.ts';
import type { Tally } from '../tally.ts';

/** The proxies, registries and results that all clients of a soak share. */
export interface Crew {
  readonly seed: number;
  /** The ports of the replicas for clients. */
  readonly ports: readonly number[];
  readonly world: World;
  readonly pushes: Readonly<Record<string, PushUpstream>>;
  readonly tally: Tally;
  /** Ends the load. */
  readonly signal: AbortSignal;
}
