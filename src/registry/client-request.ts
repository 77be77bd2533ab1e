import type { Digest } from '../../converters/digest.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import type { V1Context } from '../client-state/v1-context.ts';
import { RegistryError } from '../errors.ts';
import { readAccept } from '../negotiation/accept.ts';
import { type RequestCapabilities, requestCapabilities } from '../negotiation/capabilities.ts';
import { type Client, describeClient } from '../negotiation/client-profile.ts';
import type { AppliedRule } from '../negotiation/client-rule.ts';
import type { Selection } from '../negotiation/negotiate.ts';
import { createLastManifest } from '../request/last-manifest.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';
import { type Credential, credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { StartedRequest } from './context.ts';
import type { Freshness, WholeResponse } from './manifests/freshness.ts';

/** Facts about a request that are collected on its way, for the log and the counters. */
export interface RequestNotes {
  /** The id of the route that serves it. */
  route?: string;
  /** The kind of the requested resource: one of a few dozen words. */
  resource?: string;
  /** The rule of the operator that applies (`ClientRule.name`). */
  rule?: string;
  /** The forms of the manifest before and after its conversion, and what was lost (`loggedConversion`). */
  conversion?: string;
  ping?: 'fresh' | 'stale';
  /** Seconds since upstream was asked, where an older resolution stands in. */
  age?: number;
  /** An `ErrorCode`. */
  error?: string;
  /** The reason of an error, for the operator. */
  reason?: string;
  /** Whether the client left before its response: then an error is no fault of the proxy. */
  clientLeft?: true;
}

/** A client's request, independent of the runtime that it came through. */
export interface ClientRequest extends RequestCapabilities {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly client: Client;
  readonly context: RequestContext;
  /** The origin that the client reached regshift at (`publicOrigin`). */
  readonly address: string;
  /** The client's own IP address, as in `Requester`. */
  readonly clientAddress: string;
  /** The requested repository, once a route for it is found. */
  readonly repository?: RepositoryMapping;
  /** The operator's rule that applies; absent without rules. */
  readonly applied?: AppliedRule;
  /** Facts for the log; reading them from the response's headers would cost Node a third of its speed. */
  readonly notes: RequestNotes;
  /** Called with each negotiated selection and its stored manifest, for `regshift explain`. */
  readonly onSelection?: (manifest: Digest, selection: Selection) => void;
  /** The body, which is read once, by this or by `wholeBody`. */
  readonly body: () => ReadableStream<Uint8Array> | undefined;
  /** The whole body. The runtimes read it faster than as a stream; its length must have been looked at. */
  readonly wholeBody: () => Promise<Uint8Array>;
  /** A body that is in memory, and that is sent on in place of the client's. */
  readonly replacedBody?: Uint8Array;
  /** Stores a whole response for requests with the same cache key; absent where that is not allowed. */
  readonly storeResponse?: (answer: WholeResponse, right: Freshness) => void;
  /** The context of a pull by API v1, which the client got at its beginning. */
  readonly v1Context?: V1Context;
}

/**
 * Reads a request before its route is known. It has no credential yet, so that no login can reach another upstream.
 * @param origin the origin that the client reached regshift at.
 * @param clientAddress as `clientAddressOf` returns it; "" where it is not known.
 */
export function readClientRequest(
  request: Request,
  origin: string,
  clientAddress: string,
  started: Omit<StartedRequest, 'started'>,
): ClientRequest {
  const { headers, method } = request;
  const client = describeClient(headers.get('user-agent') ?? undefined);
  return {
    method,
    url: new URL(request.url),
    headers,
    client,
    ...requestCapabilities(readAccept(headers.get('accept') ?? undefined), client),
    context: contextOf(started, { kind: 'none' }, clientAddress, headers),
    address: origin,
    clientAddress,
    notes: {},
    body: () => (unread(request).body as ReadableStream<Uint8Array> | null) ?? undefined,
    wholeBody: async () => new Uint8Array(await unread(request).arrayBuffer()),
  };
}

/** @throws RegistryError INTERNAL for a body that the app around regshift has read: no bytes are left to send on. */
function unread(request: Request): Request {
  if (request.bodyUsed) {
    throw new RegistryError(
      'INTERNAL',
      'The app around regshift has read the body of this request: give regshift its requests before anything reads them.',
    );
  }
  return request;
}

/** The same request with its credential for upstream: the client's own Authorization only by pass-through. */
export function withCredentialOf(request: ClientRequest, login: UpstreamLogin): ClientRequest {
  const { context, headers, clientAddress } = request;
  const credential = upstreamCredential(login, headers.get('authorization'));
  return { ...request, context: contextOf(context, credential, clientAddress, headers) };
}

function contextOf(
  source: Omit<StartedRequest, 'started'>,
  credential: Credential,
  address: string,
  headers: Headers,
): RequestContext {
  const { signal, budget, resolutions, lastManifest = createLastManifest() } = source;
  const requester = () => ({ address, login: requesterLogin(headers) });
  return { credential, requester, signal, budget, resolutions, lastManifest };
}

/**
 * The credential of a request for upstream.
 * @param authorization the Authorization value of the request.
 */
export function upstreamCredential(
  login: UpstreamLogin,
  authorization: string | null | undefined,
): Credential {
  if (login !== 'passthrough') return login;
  return authorization ? { kind: 'client', authorization } : { kind: 'none' };
}

/** The part of a credential that may outlast its request: a client's own login is read from each request anew. */
export function lastingLogin(credential: Credential): UpstreamLogin {
  return credential.kind === 'client' ? 'passthrough' : credential;
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
