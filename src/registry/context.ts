import type { Caller } from '../upstream/request-context.ts';

/** A request from its arrival on, before it is known in whose name upstream is asked for it. */
export interface Begun extends Omit<Caller, 'credential' | 'requester' | 'knownLayersOnly'> {
  /** Milliseconds since the epoch. */
  readonly started: number;
}
