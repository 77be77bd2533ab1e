import type { UpstreamLogin } from '../auth/upstream-login.ts';
import { readAccept } from '../negotiation/accept.ts';
import { type Client, describeClient } from '../negotiation/client-profile.ts';
import { type Reads, whatIsRead } from '../negotiation/reads.ts';
import type { Caller } from '../stored/resolve.ts';
import type { Credential } from '../upstream/credential.ts';

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
}

/** @param login in whose name upstream is asked: the client's own Authorization goes there only by pass-through. */
export function readClientRequest(request: Request, login: UpstreamLogin, address: string): ClientRequest {
  const { headers, method, signal } = request;
  const client = describeClient(headers.get('user-agent') ?? undefined);
  return {
    method,
    url: new URL(request.url),
    headers,
    client,
    reads: whatIsRead(readAccept(headers.get('accept') ?? undefined), client.profile),
    caller: { credential: login === 'passthrough' ? ownCredential(headers) : login, signal },
    address,
  };
}

function ownCredential(headers: Headers): Credential {
  const authorization = headers.get('authorization');
  return authorization ? { kind: 'client', authorization } : { kind: 'none' };
}
