import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface LocalServer {
  readonly url: URL;
  readonly host: string;
  /** The requests in order. */
  readonly requests: readonly IncomingMessage[];
  /** The requests as `GET /path` with their Authorization. */
  readonly log: readonly string[];
}

/** Starts a server on a free port of 127.0.0.1, which the end of the test closes. Two servers are two origins. */
export async function startServer(handler: Handler): Promise<LocalServer> {
  const requests: IncomingMessage[] = [];
  const log: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    log.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}`), host: `127.0.0.1:${port}`, requests, log };
}

export function answer(
  response: ServerResponse,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }).end(body);
}

export function challenge(response: ServerResponse, value: string): void {
  answer(response, 401, '{"errors":[{"code":"UNAUTHORIZED"}]}', { 'www-authenticate': value });
}

export interface TokenServer extends LocalServer {
  /** The last token given out; the first one is token-1. */
  readonly given: () => string;
}

/** Gives out token-1, token-2… for `fields` beside the token itself. */
export async function startTokenServer(fields: Record<string, unknown> = {}): Promise<TokenServer> {
  let count = 0;
  const server = await startServer((_, response) => {
    count += 1;
    answer(response, 200, JSON.stringify({ token: `token-${count}`, ...fields }));
  });
  return { ...server, given: () => `Bearer token-${count}` };
}

/** Lets in whoever sends `accepted()`, and challenges everyone else. */
export function startRegistry(accepted: () => string, offered: () => string): Promise<LocalServer> {
  return startServer((request, response) => {
    if (request.headers.authorization === accepted()) answer(response, 200, 'content');
    else challenge(response, offered());
  });
}
