import type { Background } from '../concurrency/background.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { RegistryError } from '../errors.ts';
import { requestPing } from '../upstream/api/ping.ts';
import { parseChallenges } from '../upstream/auth/challenge.ts';
import type { StaticCredential } from '../upstream/auth/credential.ts';
import { type GrantedToken, requestToken, type TokenServerOptions } from '../upstream/auth/token-server.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';

/** What upstream itself says of its token server. */
export interface NamedServer {
  readonly realm: string;
  readonly service: string | undefined;
}

export interface TokenQuestion {
  /** As the client names it; upstream's own name for itself when it does not. */
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: StaticCredential;
}

/** Asks upstream's token server on behalf of clients that cannot reach it, or not over today's TLS. */
export interface TokenRelay {
  /** @returns undefined where upstream has no token server. @throws RegistryError when upstream cannot be asked. */
  server(): Promise<NamedServer | undefined>;
  /** @throws RegistryError as `requestToken`; ENDPOINT_UNKNOWN where upstream has no token server. */
  token(question: TokenQuestion): Promise<GrantedToken>;
}

export interface TokenRelayOptions extends Omit<TokenServerOptions, 'deadlineMs'> {
  readonly client: UpstreamClient;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
}

/** Realms change when a registry moves, and seldom otherwise. */
const keptMs = 600_000;
const deadlineMs = 10_000;

/**
 * Passwords go to the realm that upstream names at its ping and nowhere else: never to one that a client names, so
 * that nobody can make the proxy ask a server of his choice, and no client is lured into sending a login there.
 */
export function createTokenRelay(options: TokenRelayOptions): TokenRelay {
  const { client, clock } = options;
  const flights = createSingleFlight<NamedServer | undefined>(deadlineMs, options.background);
  let known: { readonly server: NamedServer | undefined; readonly until: number } | undefined;

  async function learn(): Promise<NamedServer | undefined> {
    const server = await serverAtPing(client);
    known = { server, until: clock() + keptMs };
    return server;
  }

  async function server(): Promise<NamedServer | undefined> {
    if (known && clock() < known.until) return known.server;
    const late = () =>
      new RegistryError('UPSTREAM_TIMEOUT', 'Upstream took too long to name its token server.');
    return await flights.join({ key: 'ping', start: learn, late }, undefined);
  }

  return {
    server,
    async token({ service, scopes, credential }) {
      const named = await server();
      if (named === undefined) {
        throw new RegistryError(
          'ENDPOINT_UNKNOWN',
          'Upstream names no token server, so there is no token to be had here.',
        );
      }
      const request = { realm: named.realm, service: service ?? named.service, scopes, credential };
      return await requestToken({ ...options, deadlineMs }, request);
    },
  };
}

async function serverAtPing(client: UpstreamClient): Promise<NamedServer | undefined> {
  const response = await requestPing(client, { credential: { kind: 'none' } });
  if (!response.ok && response.status !== 401)
    throw await errorFromResponse(response, 'registry API v2', 'NAME_UNKNOWN');
  await discard(response);
  const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '');
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
  const realm = bearer?.get('realm');
  return realm === undefined ? undefined : { realm, service: bearer?.get('service') };
}
