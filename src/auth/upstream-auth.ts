import type { Credential } from '../upstream/auth/credential.ts';

/** The login for upstream: each client's own, or one credential for all clients. */
export type UpstreamLogin = 'passthrough' | Credential;
