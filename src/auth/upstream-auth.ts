import type { Credential } from '../upstream/auth/credential.ts';

/** In whose name upstream is asked: in each client's own, or in one name for all. */
export type UpstreamLogin = 'passthrough' | Credential;
