import type { Budget } from '../request/budget.ts';
import type { Requester } from '../request/requester.ts';
import type { Credential } from './auth/credential.ts';
import type { Resolution } from './resolution.ts';

/** On whose behalf upstream is asked. */
export interface RequestContext {
  /** No layer is read for this: a search may be for a digest that nobody ever gave out. */
  readonly knownLayersOnly?: boolean;
  readonly credential: Credential;
  /** Who it counts for, where requests share something scarce. */
  readonly requester: () => Requester;
  readonly signal?: AbortSignal | undefined;
  readonly budget: Budget;
  /** What this very request has asked before, and what came of it: it is not asked again. */
  readonly resolutions?: Map<string, Promise<Resolution>> | undefined;
}
