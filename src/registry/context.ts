import type { RequestContext } from '../upstream/request-context.ts';

/** A request from its arrival on, before it is known in whose name upstream is asked for it. */
export interface StartedRequest extends Omit<RequestContext, 'credential' | 'requester' | 'knownLayersOnly'> {
  /** Milliseconds since the epoch. */
  readonly started: number;
}
