import type { Exchange } from './call.ts';
import type { World } from './world.ts';

/** Differences that the contract allows. */
export interface Rule {
  readonly name: string;
  /** Why both may differ, with the page that says so. */
  readonly reason: string;
  /** The differences that the rule explains for this exchange, as `Difference.of` names them. */
  explains(exchange: Exchange, world: World): readonly string[] | 'all' | Promise<readonly string[] | 'all'>;
}
