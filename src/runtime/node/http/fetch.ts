import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Log } from '../../../observability/log.ts';
import type { Fetch } from '../../../upstream/client.ts';
import { errorFields } from '../uncaught.ts';
import { bodyOf } from './body-stream.ts';
import { guardEvents } from './guarded-events.ts';
import { RelayAgent } from './relay-agent.ts';

/** How long a body may stand still: past this, HTTP clients with a minute's patience have given up as well. */
const usualSilenceMs = 60_000;

/**
 * `fetch` by Node's own HTTP client: it costs half as much as the built-in one, undoes no encoding, adds no header of
 * its own but Host and Connection, and a body that nobody looks into can be handed on as the stream that it is
 * (`nativeBody`). It follows no redirect and keeps no cookie. Connections are kept for the next request.
 * @param silenceMs after so long without a byte, twice as long at most, a body breaks off.
 * @param log gets a line for each connection that ended because something here has thrown.
 * @returns rejects with the system's error, or with the reason of the signal; so does reading the body.
 */
export function createHttpFetch(silenceMs = usualSilenceMs, log: Log = () => {}): Fetch {
  const { agent, secureAgent } = agents();
  return (href, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const url = new URL(href);
      const secure = url.protocol === 'https:';
      const sent = (secure ? httpsRequest : httpRequest)(url, {
        method,
        agent: secure ? secureAgent : agent,
        headers: Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers)),
      });
      const fail = (error: unknown) => {
        log('error', 'a request to upstream ends: an event of it could not be handled', errorFields(error));
        sent.destroy();
        reject(error);
      };
      guardEvents(sent, fail);
      let answer: IncomingMessage | undefined;
      const abort = () => sent.destroy(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      // A signal may outlive the request by far: what it holds must go with the request.
      sent.once('close', () => {
        signal?.removeEventListener('abort', abort);
        // Without answer and without error: upstream has switched to another protocol, and Node has hung up.
        if (!answer) reject(new Error('The connection was closed without an answer'));
      });
      sent.on('error', (error) => {
        // Node tells of a reset before it takes a body without a length to be over (`socketErrorListener` of its HTTP
        // client): an answer that the connection's end delimits has not come as a whole.
        if (answer && !answer.complete) answer.destroy(error);
        reject(signal?.aborted ? signal.reason : error);
      });
      sent.once('response', (incoming) => {
        answer = incoming;
        guardEvents(incoming, fail);
        try {
          resolve(asResponse(incoming, method, signal, silenceMs));
        } catch (error) {
          sent.destroy();
          reject(error);
        }
      });
      send(sent, body);
    });
}

/** By way of a proxy where the environment asks for it, as with the built-in `fetch` (Node 24, `NODE_USE_ENV_PROXY`). */
function agents(): { readonly agent: Agent; readonly secureAgent: SecureAgent } {
  const options = { keepAlive: true };
  if (process.env.NODE_USE_ENV_PROXY !== '1') {
    return { agent: new RelayAgent(options), secureAgent: new SecureAgent(options) };
  }
  const proxied = { ...options, proxyEnv: process.env };
  return { agent: new Agent(proxied), secureAgent: new SecureAgent(proxied) };
}

function send(request: ClientRequest, body: RequestInit['body']): void {
  if (body instanceof ReadableStream) {
    // What goes wrong with either is told by the request's own error.
    pipeline(Readable.fromWeb(body as NodeReadableStream), request, () => undefined);
  } else request.end(body ?? undefined);
}

const withoutBody: readonly number[] = [204, 205, 304];

/** @throws RangeError or TypeError for a status or a header that no answer can have. */
function asResponse(
  incoming: IncomingMessage,
  method: string,
  signal: AbortSignal | null | undefined,
  silenceMs: number,
): Response {
  const headers = new Headers();
  const { rawHeaders, statusCode: status = 0 } = incoming;
  // Said here: the Response of @hono/node-server, which replaces the global one, looks at it much later.
  if (status < 200 || status > 599) throw new RangeError(`No answer can have the status ${status}`);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  if (method === 'HEAD' || withoutBody.includes(status)) {
    incoming.resume();
    return withBody(null, { status, headers });
  }
  return withBody(bodyOf(incoming, signal, silenceMs), { status, headers });
}

/**
 * As a property of its own: the Response of @hono/node-server makes one of Node's for whoever looks at `body`, which
 * costs as much as all else of an answer.
 */
function withBody(body: ReadableStream<Uint8Array> | null, init: ResponseInit): Response {
  return Object.defineProperty(new Response(body, init), 'body', { value: body });
}
