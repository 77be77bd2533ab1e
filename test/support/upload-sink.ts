import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/** A request as it arrived over the wire. */
export interface Taken {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  /** The number of bytes of the body so far. */
  length: number;
  /** Undefined while the request is under way. */
  end: 'complete' | 'broken' | undefined;
}

/**
 * The treatment of request bodies: read, not read, or a response before the body has arrived. `hold` leaves each GET
 * without a response until the next behaviour.
 */
export type Behaviour = 'read' | 'stall' | 'refuse' | 'redirect' | 'hold';

export interface UploadSink {
  readonly url: string;
  readonly taken: readonly Taken[];
  behave(how: Behaviour): void;
  /** The number of requests by GET without a response. */
  held(): number;
  stop(): Promise<void>;
}

/** A registry that takes uploads and stores nothing; it records every byte that arrives. */
export async function startUploadSink(): Promise<UploadSink> {
  const taken: Taken[] = [];
  const held: (() => void)[] = [];
  let behaviour: Behaviour = 'read';
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const answer = () => void response.writeHead(200).end('{}');
      return behaviour === 'hold' ? void held.push(answer) : answer();
    }
    const { method = '', headers } = request;
    const each: Taken = { method, headers, length: 0, end: undefined };
    taken.push(each);
    request.on('close', () => {
      each.end = request.complete ? 'complete' : 'broken';
    });
    request.on('error', () => undefined);
    if (behaviour === 'refuse') return refuse(response);
    if (behaviour === 'redirect')
      return void response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end();
    if (behaviour === 'stall') return undefined;
    request.on('data', (chunk: Uint8Array) => {
      each.length += chunk.length;
    });
    request.on('end', () =>
      response.writeHead(202, { Location: '/v2/a/blobs/uploads/u', Range: '0-1' }).end(),
    );
    return undefined;
  });
  const { url, stop } = await listen(server);
  return {
    url,
    taken,
    behave: (how) => {
      behaviour = how;
      if (how !== 'hold') for (const answer of held.splice(0)) answer();
    },
    held: () => held.length,
    stop,
  };
}

function refuse(response: ServerResponse): void {
  const body = JSON.stringify({ errors: [{ code: 'SIZE_INVALID', message: 'too large' }] });
  response.writeHead(413, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
}
