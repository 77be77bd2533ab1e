import type { Clock } from '../clock.ts';
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

/** The token server that upstream names in its challenge. */
export interface NamedServer {
  readonly realm: string;
  readonly service: string | undefined;
}

/** A client's request for a token. */
export interface TokenQuestion {
  /** The service that the client names; undefined for the one that upstream names. */
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: StaticCredential;
  /** As in `TokenRequest`. */
  readonly offlineFor: string | undefined;
}

/** Gets tokens from upstream's token server for clients that cannot reach it, or that do not speak today's TLS. */
export interface TokenRelay {
  /**
   * @param challenged the realm that a challenge of upstream has just named.
   * @returns undefined if upstream has no token server. @throws RegistryError if the ping of upstream fails.
   */
  server(challenged?: string): Promise<NamedServer | undefined>;
  /** @throws RegistryError the errors of `requestToken`; ENDPOINT_UNKNOWN if upstream has no token server. */
  token(question: TokenQuestion): Promise<GrantedToken>;
}

export interface TokenRelayOptions extends Omit<TokenServerOptions, 'deadlineMs'> {
  readonly client: UpstreamClient;
  /** Milliseconds for a token that a client asks for. */
  readonly tokenDeadlineMs?: number;
  readonly clock: Clock;
  readonly background: Background;
}

/** The time for which the realm is remembered: it seldom changes, except when a registry moves. */
const cacheMs = 600_000;
/** The same, if the ping named no realm, like a page of maintenance, or if a challenge names another one. */
const doubtfulMs = 30_000;
const deadlineMs = 10_000;

/**
 * Passwords go only to the realm that upstream names in its response to a ping, never to a realm that a client names.
 * A client therefore cannot make the proxy call another server, and cannot be tricked into sending a login there.
 */
export function createTokenRelay(options: TokenRelayOptions): TokenRelay {
  const { client, clock } = options;
  const flights = createSingleFlight<NamedServer | undefined>(deadlineMs, options.background);
  let known: { readonly server: NamedServer | undefined; readonly at: number } | undefined;

  async function readServer(): Promise<NamedServer | undefined> {
    const at = clock();
    const server = await serverAtPing(client);
    known = { server, at };
    return server;
  }

  async function server(challenged?: string): Promise<NamedServer | undefined> {
    const realm = known?.server?.realm;
    const isDoubtful = realm === undefined || (challenged !== undefined && challenged !== realm);
    if (known && clock() - known.at < (isDoubtful ? doubtfulMs : cacheMs)) return known.server;
    const late = () =>
      new RegistryError('UPSTREAM_TIMEOUT', 'Upstream took too long to name its token server.');
    return await flights.join({ key: 'ping', start: readServer, late }, undefined);
  }

  return {
    server,
    async token({ service, ...question }) {
      const named = await server();
      if (named === undefined) {
        throw new RegistryError(
          'ENDPOINT_UNKNOWN',
          'Upstream names no token server, so regshift cannot get a token from one.',
        );
      }
      const request = { ...question, realm: named.realm, service: service ?? named.service };
      return await requestToken({ ...options, deadlineMs: options.tokenDeadlineMs ?? deadlineMs }, request);
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
