import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { listen } from '../listen.ts';

/** A request. Clients that only pull send no body, so it has none. */
export interface Question {
  readonly method: string;
  /** Path and query, as written. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | Readable;
}

/** A request and its response. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly acceptEncoding: string | undefined;
  readonly status: number;
  readonly contentType: string | undefined;
  /** `Docker-Content-Digest` of the response. */
  readonly digest: string | undefined;
}

export interface LoopbackServer {
  readonly url: string;
  /** The requests since `forget`, in the order of the responses. */
  readonly asked: readonly Asked[];
  forget(): void;
  stop(): Promise<void>;
}

/** Starts an HTTP server on a free port of 127.0.0.1 that records its requests. */
export async function startLoopback(
  answer: (question: Question) => Reply | Promise<Reply>,
): Promise<LoopbackServer> {
  const asked: Asked[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    incoming.resume();
    const reply = await replyTo(answer, { method, path, headers });
    asked.push({ method, path, ...factsOf(headers, reply) });
    send(outgoing, reply, method === 'HEAD');
  });
  const { url, stop } = await listen(server);
  return {
    url,
    asked,
    forget: () => {
      asked.length = 0;
    },
    stop,
  };
}

/** Calls a habit. An error in it is a broken test, and the reply says so. */
async function replyTo(
  answer: (question: Question) => Reply | Promise<Reply>,
  question: Question,
): Promise<Reply> {
  try {
    return await answer(question);
  } catch (error) {
    return { status: 500, body: new TextEncoder().encode(`The test's upstream broke: ${error}`) };
  }
}

function factsOf(headers: IncomingHttpHeaders, reply: Reply): Omit<Asked, 'method' | 'path'> {
  const encoding = headers['accept-encoding'];
  return {
    authorization: headers.authorization,
    acceptEncoding: Array.isArray(encoding) ? encoding.join(', ') : encoding,
    status: reply.status,
    contentType: headerOf(reply, 'Content-Type'),
    digest: headerOf(reply, 'Docker-Content-Digest'),
  };
}

export function headerOf({ headers = {} }: Reply, wanted: string): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted.toLowerCase());
  return found && String(found[1]);
}

function send(outgoing: ServerResponse, { status, headers = {}, body }: Reply, head: boolean): void {
  outgoing.writeHead(
    status,
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, writable(value)])),
  );
  if (!(body instanceof Readable)) {
    outgoing.end(head ? undefined : body);
    return;
  }
  if (head) {
    body.destroy();
    outgoing.end();
    return;
  }
  body.on('error', () => outgoing.destroy());
  outgoing.on('close', () => body.destroy());
  body.pipe(outgoing);
}

function writable(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

/** A JSON reply with its Content-Length, so that HEAD and GET have the same headers. */
export function jsonReply(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const own = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
  return { status, headers: { ...own, ...headers }, body };
}

/** An error reply (distribution-spec 1.1, "Error Codes"). */
export function specReply(
  status: number,
  code: string,
  message: string,
  headers: Reply['headers'] = {},
): Reply {
  return jsonReply(status, { errors: [{ code, message }] }, headers);
}
