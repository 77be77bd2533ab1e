import { RegistryError } from '../errors.ts';

export type Admission =
  | { readonly ok: true; readonly subject: string }
  | {
      readonly ok: false;
      /** For `WWW-Authenticate`. */
      readonly challenge: string;
      /** For the user: what was found and what to do; nothing of what was sent. */
      readonly reason: string;
    };

/** A request whose login is to be checked. */
export interface LoginAttempt {
  readonly headers: Headers;
  /** The client's address, as `Requester` has it. */
  readonly address: string;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal | undefined;
}

/** The part of a client's request that tells its login. */
export interface LoginRequest {
  readonly headers: Headers;
  readonly clientAddress: string;
  readonly context: { readonly signal?: AbortSignal | undefined };
}

/** Who may use the proxy where it asks upstream in its own name (design, rule 5). */
export interface ClientAuth {
  /**
   * @throws RegistryError MISCONFIGURED or INTERNAL when the proxy itself cannot check, which is not the client's fault;
   *   OVERLOADED when too many logins wait to be checked; the signal's reason.
   */
  authenticate(attempt: LoginAttempt): Promise<Admission>;
}

/**
 * With Basic for every kind of login, a JWT too (see jwt.ts). Without `charset`, which RFC 7617 §2.1 offers: the
 * challenge is read by parsers from 2014 on.
 */
export function denied(reason: string): Admission {
  return { ok: false, challenge: 'Basic realm="regshift"', reason };
}

/**
 * Lets in who may use the proxy.
 * @param auth undefined where the proxy does not ask who its clients are.
 * @throws RegistryError UNAUTHORIZED with the challenge; what `authenticate` throws.
 */
export async function requireLogin(
  auth: ClientAuth | undefined,
  { headers, clientAddress, context }: LoginRequest,
): Promise<void> {
  const { signal } = context;
  const admission = await auth?.authenticate({ headers, address: clientAddress, signal });
  if (admission === undefined || admission.ok) return;
  throw new RegistryError('UNAUTHORIZED', admission.reason, {
    headers: { 'WWW-Authenticate': admission.challenge },
  });
}
