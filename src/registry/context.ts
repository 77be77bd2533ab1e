import type { RequestContext } from '../upstream/request-context.ts';

/** A request that has arrived, before its credential for upstream is known. */
export interface StartedRequest
  extends Omit<RequestContext, 'credential' | 'requester' | 'knownLayersOnly' | 'inBackground'> {
  /** By the clock. */
  readonly started: number;
}
