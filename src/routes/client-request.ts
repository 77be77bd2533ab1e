import type { UpstreamLogin } from '../auth/upstream-login.ts';
import type { Budget } from '../budget.ts';
import { readAccept } from '../negotiation/accept.ts';
import { type Client, describeClient } from '../negotiation/client-profile.ts';
import { type Reads, whatIsRead } from '../negotiation/reads.ts';
import type { Caller } from '../stored/resolve.ts';
import type { Credential } from '../upstream/credential.ts';
import type { V1Context } from '../v1-claims/context.ts';

/** What the program needs to know of a client's request, whatever runtime it came through. */
export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly client: Client;
  readonly reads: Reads;
  readonly caller: Caller;
  /** Where the client has reached the proxy (`ownAddress`). */
  readonly address: string;
  /** What the log should say of the answer; reading it from the answer's headers costs Node a third of its speed. */
  readonly notes: { conversion?: string };
  /** Of API v1: what the client was told at the beginning of its pull. */
  readonly v1Context?: V1Context;
}

/** @param login in whose name upstream is asked: the client's own Authorization goes there only by pass-through. */
export function readClientRequest(
  request: Request,
  login: UpstreamLogin,
  address: string,
  budget: Budget,
): ClientRequest {
  const { headers, method } = request;
  const client = describeClient(headers.get('user-agent') ?? undefined);
  return {
    method,
    url: new URL(request.url),
    headers,
    client,
    reads: whatIsRead(readAccept(headers.get('accept') ?? undefined), client.profile),
    caller: {
      credential: login === 'passthrough' ? ownCredential(headers) : login,
      // Only looked at when upstream is asked: Node makes it at the first look, and that is dear.
      get signal() {
        return request.signal;
      },
      budget,
    },
    address,
    notes: {},
  };
}

/** The same request, as if this Authorization value had come with it. */
export function withLogin(
  request: ClientRequest,
  login: UpstreamLogin,
  authorization: string | undefined,
): ClientRequest {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  if (authorization !== undefined) headers.set('authorization', authorization);
  const credential = login === 'passthrough' ? ownCredential(headers) : login;
  return { ...request, headers, caller: { ...request.caller, credential } };
}

function ownCredential(headers: Headers): Credential {
  const authorization = headers.get('authorization');
  return authorization ? { kind: 'client', authorization } : { kind: 'none' };
}
