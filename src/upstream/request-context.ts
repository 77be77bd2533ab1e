import type { Digest } from '../../converters/digest.ts';
import type { Budget } from '../request/budget.ts';
import type { LastManifest } from '../request/last-manifest.ts';
import type { Requester } from '../request/requester.ts';
import type { Credential } from './auth/credential.ts';
import type { Resolution } from './resolution.ts';

/** The part of a client's request that decides how upstream is asked for it. */
export interface RequestContext {
  /** No layer is read for this request: a search may be for a digest that regshift never gave to a client. */
  readonly knownLayersOnly?: boolean;
  /**
   * Present for a person who looks at an image: other manifests than these, and the first bytes of layers, come from
   * caches alone, and the request starts no work in the background.
   */
  readonly mayFetch?: ((manifest: Digest) => boolean) | undefined;
  /** No client waits for this work: its layers are read one after the other, after those of all clients. */
  readonly inBackground?: boolean;
  readonly credential: Credential;
  /** The requester that shared memory, turns and processor time are counted for. */
  readonly requester: () => Requester;
  readonly signal?: AbortSignal | undefined;
  readonly budget: Budget;
  /** The resolutions that this request has asked upstream for, by key, so that it asks once for each. */
  readonly resolutions?: Map<string, Promise<Resolution>> | undefined;
  /** The manifest that this request has read last, so that it reads it once. */
  readonly lastManifest?: LastManifest | undefined;
}

/**
 * The context of work that a request causes and does not wait for. Nothing else of the request is kept: its signal and
 * its requester lead to the whole connection.
 */
export function backgroundContext(context: RequestContext): RequestContext {
  const { credential, budget } = context;
  const requester = context.requester();
  return { credential, budget, requester: () => requester, inBackground: true };
}

/** The part of a `RequestContext` that a request to the distribution API needs. */
export interface ApiContext extends Pick<RequestContext, 'credential' | 'signal'> {
  /** Absent for a request that regshift makes for itself. */
  readonly budget?: Budget | undefined;
}
