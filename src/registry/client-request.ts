import type { Digest } from '../../converters/digest.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import type { V1Context } from '../client-state/v1-context.ts';
import { readAccept } from '../negotiation/accept.ts';
import { type ClientCapabilities, capabilitiesOf } from '../negotiation/capabilities.ts';
import { type Client, describeClient } from '../negotiation/client-profile.ts';
import type { Selection } from '../negotiation/negotiate.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';
import { type Credential, credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { StartedRequest } from './context.ts';
import type { Freshness, WholeResponse } from './manifests/freshness.ts';

/** What is found out about a request on its way, for the log and the counters. */
export interface RequestNotes {
  /** The id of the route that answers. */
  route?: string;
  /** What kind of thing is asked for: one of a few dozen words. */
  resource?: string;
  /** As `Regshift-Conversion` says it. */
  conversion?: string;
  ping?: 'fresh' | 'stale';
  /** Seconds since upstream was asked, where an older answer stands in. */
  age?: number;
  /** Of a `ErrorCode`. */
  error?: string;
}

/** What the program needs to know of a client's request, whatever runtime it came through. */
export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly client: Client;
  readonly capabilities: ClientCapabilities;
  readonly context: RequestContext;
  /** Where the client has reached the proxy (`ownAddress`). */
  readonly address: string;
  /** The client's own address, as `Requester` has it. */
  readonly clientAddress: string;
  /** The repository that is asked for, once a route is found that has it. */
  readonly repository?: RepositoryMapping;
  /** What the log should say of the answer; reading it from the answer's headers costs Node a third of its speed. */
  readonly notes: RequestNotes;
  /** Told each decision on the way to an answer, and of which stored manifest it is; for who wants to explain it. */
  readonly onSelection?: (manifest: Digest, selection: Selection) => void;
  /** Read once, by whoever sends it on. */
  readonly body: () => ReadableStream<Uint8Array> | undefined;
  /** Takes a whole answer, to be given again to the same question; absent where that may not be. */
  readonly storeResponse?: (answer: WholeResponse, right: Freshness) => void;
  /** Of API v1: what the client was told at the beginning of its pull. */
  readonly v1Context?: V1Context;
}

/**
 * Reads a request before its route is known: in nobody's name, so that no login can go where it does not belong.
 * @param origin under which the client has reached the proxy.
 * @param clientAddress as `clientAddressOf` tells it; "" where it is not known.
 */
export function readClientRequest(
  request: Request,
  origin: string,
  clientAddress: string,
  begun: Omit<StartedRequest, 'started'>,
): ClientRequest {
  const { headers, method } = request;
  const client = describeClient(headers.get('user-agent') ?? undefined);
  return {
    method,
    url: new URL(request.url),
    headers,
    client,
    capabilities: capabilitiesOf(readAccept(headers.get('accept') ?? undefined), client.profile),
    context: callerOf(begun, { kind: 'none' }, clientAddress, headers),
    address: origin,
    clientAddress,
    notes: {},
    body: () => (request.body as ReadableStream<Uint8Array> | null) ?? undefined,
  };
}

/** The same request, to be answered in this name: the client's own Authorization goes upstream only by pass-through. */
export function withCredentialOf(request: ClientRequest, login: UpstreamLogin): ClientRequest {
  const { context, headers, clientAddress } = request;
  const credential = login === 'passthrough' ? ownCredential(headers) : login;
  return { ...request, context: callerOf(context, credential, clientAddress, headers) };
}

function callerOf(
  source: Omit<StartedRequest, 'started'>,
  credential: Credential,
  address: string,
  headers: Headers,
): RequestContext {
  const { signal, budget, resolutions } = source;
  const requester = () => ({ address, login: requesterLogin(headers) });
  return { credential, requester, signal, budget, resolutions };
}

function ownCredential(headers: Headers): Credential {
  const authorization = headers.get('authorization');
  return authorization ? { kind: 'client', authorization } : { kind: 'none' };
}

/**
 * The login of a `Requester`. A registry's token differs for each repository and every few minutes, but its subject
 * stays the same; the subject is empty where the token server gave the token to a client without a login. The token is
 * not verified here: it counts for a share within one address and opens nothing.
 */
export function requesterLogin(headers: Headers): string {
  const authorization = headers.get('authorization');
  if (authorization === null) return '';
  const [, payload] = /^bearer\s+[\w-]+\.([\w-]+)\.[\w-]*\s*$/i.exec(authorization) ?? [];
  const subject = payload === undefined ? authorization : subjectOf(payload);
  return subject === '' ? '' : credentialKey({ kind: 'client', authorization: subject });
}

/** @param payload of a JWT (RFC 7519), as base64url. @returns the payload itself where it is not JSON. */
function subjectOf(payload: string): string {
  try {
    const { sub } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return payload;
  }
}
