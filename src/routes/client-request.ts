import { readAccept } from '../negotiation/accept.ts';
import { type Client, describeClient } from '../negotiation/client-profile.ts';
import { type Reads, whatIsRead } from '../negotiation/reads.ts';
import type { Caller } from '../stored/resolve.ts';

/** What the program needs to know of a client's request, whatever runtime it came through. */
export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly client: Client;
  readonly reads: Reads;
  readonly caller: Caller;
}

/** @param passThrough whether the client's own credential is for upstream. */
export function readClientRequest(request: Request, passThrough: boolean): ClientRequest {
  const { headers, method, signal } = request;
  const client = describeClient(headers.get('user-agent') ?? undefined);
  const authorization = passThrough ? headers.get('authorization') : null;
  return {
    method,
    url: new URL(request.url),
    headers,
    client,
    reads: whatIsRead(readAccept(headers.get('accept') ?? undefined), client.profile),
    caller: {
      credential: authorization ? { kind: 'client', authorization } : { kind: 'none' },
      signal,
    },
  };
}
