import { createServer, request } from 'node:http';
import { type Listening, listen } from './listen.ts';

/** An exchange that passes, with the bytes of its bodies so far. */
export interface PassingExchange {
  readonly method: string;
  readonly path: string;
  /** Bytes of the request's body. */
  readonly received: number;
  /** Bytes of the response's body. */
  readonly sent: number;
}

/**
 * Starts a relay between a client and a server that breaks connections within a body.
 * @param target like `127.0.0.1:5000`.
 * @param isCut called after each chunk: true resets the connections of both ends.
 */
export async function startCutter(
  target: string,
  isCut: (exchange: PassingExchange) => boolean,
): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', rawHeaders: headers } = incoming;
    const bytes = { received: 0, sent: 0 };
    const [hostname, port] = target.split(':');
    const onward = request({ hostname, port, method, path, headers, setHost: false, agent: false });
    const pass = (side: 'received' | 'sent', length: number) => {
      bytes[side] += length;
      if (!isCut({ method, path, ...bytes })) return;
      onward.destroy();
      incoming.socket.resetAndDestroy();
    };
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.on('data', (chunk: Uint8Array) => pass('sent', chunk.length));
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.on('error', () => undefined);
    incoming.on('data', (chunk: Uint8Array) => pass('received', chunk.length));
    incoming.pipe(onward);
  });
  return listen(server);
}
