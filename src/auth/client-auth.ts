import { RegistryError } from '../errors.ts';

/** The result of checking a client's login. */
export type Admission =
  | { readonly ok: true; readonly subject: string }
  | {
      readonly ok: false;
      /** The value of `WWW-Authenticate`. */
      readonly challenge: string;
      /** A message for the user: the problem and what to do. It quotes nothing of the login. */
      readonly reason: string;
    };

/** The facts that a check of a login uses. */
export interface LoginAttempt {
  readonly headers: Headers;
  /** The client's address, as `Requester` has it. */
  readonly address: string;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal | undefined;
}

/** The part of a client's request that `requireLogin` uses. */
export interface LoginRequest {
  readonly headers: Headers;
  readonly clientAddress: string;
  readonly context: { readonly signal?: AbortSignal | undefined };
}

/** Checks the logins of clients, where the proxy uses its own account at upstream. */
export interface ClientAuth {
  /**
   * @throws RegistryError MISCONFIGURED or INTERNAL if the proxy cannot check logins, which is not the client's fault;
   *   OVERLOADED if too many logins wait for their check; the signal's reason.
   */
  authenticate(attempt: LoginAttempt): Promise<Admission>;
}

/**
 * A refused login. The challenge is Basic for every kind of login, including JWT (see jwt.ts). It has no `charset`
 * (RFC 7617 §2.1), because clients with parsers of 2014 read it.
 */
export function denied(reason: string): Admission {
  return { ok: false, challenge: 'Basic realm="regshift"', reason };
}

/**
 * Checks the login of a client, and returns if the client may use the proxy.
 * @param auth undefined if the proxy requires no login.
 * @throws RegistryError UNAUTHORIZED with the challenge; the errors of `authenticate`.
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
