import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Listening, listen } from './listen.ts';

/**
 * The ways of a registry that refuses an upload before it has read the body. `closes` is that of Go's net/http: it ends
 * its half of the connection, and closes it after half a second.
 */
export const refusals = ['reads-on', 'lengthless', 'long', 'never-reads', 'closes'] as const;
export type Refusal = (typeof refusals)[number];

const message = '{"errors":[{"code":"RANGE_INVALID","message":"the upload has another length"}]}';

/** The text of a refusal. */
export function refusalText(refusal: Refusal): string {
  return refusal === 'long' ? message.padEnd(300_000) : message;
}

/**
 * Starts a registry that refuses `PATCH` with 416 at its first byte; the last part of the path is the `Refusal`. It reads
 * the body of `accepted` and `refused-late`, before it answers 202 or 416.
 */
export async function startRefusingRegistry(): Promise<Listening> {
  return await listen(
    createServer((request, response) => {
      request.on('error', () => undefined);
      const name = request.url?.split('/').pop() as Refusal | 'accepted' | 'refused-late';
      if (request.method !== 'PATCH') return void response.end('{}');
      if (name !== 'accepted' && name !== 'refused-late') return refuse(request, response, name);
      const [status, text] = name === 'accepted' ? [202, ''] : [416, message];
      const headers = { location: request.url, range: '0-9' };
      request.resume();
      return void request.on('end', () => response.writeHead(status, headers).end(text));
    }),
  );
}

function refuse({ socket }: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const text = refusalText(refusal);
  const length = refusal === 'lengthless' ? {} : { 'content-length': text.length };
  const headers = { 'content-type': 'application/json', range: '0-9', ...length };
  if (refusal === 'never-reads') {
    stopReading(socket);
    socket.destroySoon = () => undefined;
    // Without this header, workerd sends the next request on the same connection.
    response.setHeader('connection', 'close');
  }
  response.writeHead(416, headers).end(text);
  if (refusal === 'closes') {
    stopReading(socket);
    socket.end();
    setTimeout(() => socket.destroy(), 500);
  }
}

/** Node reads the bytes that a handler leaves, unless the socket cannot be resumed. */
function stopReading(socket: Socket): void {
  socket.pause();
  socket.resume = () => socket;
}
