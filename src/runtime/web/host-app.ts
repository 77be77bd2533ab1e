import type { RuntimePlatform } from '../../compose/platform.ts';
import type { Log } from '../../observability/log.ts';
import { networkCode } from '../../upstream/network-errors.ts';

type Send = (url: string, init: RequestInit) => Promise<Response>;

/**
 * The `fetch` that the app around regshift gave. A client gets an error about the network for whatever it throws, so the
 * log has its own reason. An error with a code of the network says all there.
 */
export function fetchOfHost(send: Send, log: Log): RuntimePlatform['fetch'] {
  return async (url, init) => {
    try {
      const response: unknown = await send(url, init);
      if (isResponse(response)) return response;
      throw new TypeError(`it gave ${kindOf(response)} in place of a Response of the web`);
    } catch (error) {
      if (networkCode(error) === undefined && !init.signal?.aborted) {
        log('warn', 'the fetch that createApp was given fails', {
          host: new URL(url).host,
          reason: reasonOf(error),
        });
      }
      throw error;
    }
  };
}

/**
 * Logs the first failure of a function of the app around regshift. On Workers, the `waitUntil` of a context throws when it
 * is called without the context; the work in the background then ends with its request.
 */
export function faultOfHost(log: Log, message: string): (error: unknown) => void {
  let isLogged = false;
  return (error) => {
    if (!isLogged) log('warn', message, { reason: reasonOf(error) });
    isLogged = true;
  };
}

/** Responses of other libraries pass, if they have what regshift reads. The body of `node-fetch` is a stream of Node. */
function isResponse(given: unknown): given is Response {
  const { status, headers, body } = (given ?? {}) as Partial<Response>;
  const isStream = (body ?? undefined) === undefined || typeof body?.getReader === 'function';
  return typeof status === 'number' && typeof headers?.get === 'function' && isStream;
}

/** The message of an error. The query of a signed URL is a credential, which no log gets. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/(https?:\/\/[^\s?#]*)[?#]\S*/gi, '$1?…');
}

/** @throws TypeError for a request that is none of the web's, like that of Express and `node:http`. */
export function refuseOtherRequest(request: Request): void {
  const { url, headers } = ((request as unknown) ?? {}) as Partial<Request>;
  if (typeof url === 'string' && typeof headers?.get === 'function') return;
  throw new TypeError(
    `regshift needs a Request of the web, and got ${kindOf(request)}: for Express, Fastify and node:http, ` +
      'getRequestListener of @hono/node-server makes one (docs/embedding.md)',
  );
}

/** A value in words: the name of its class, or its type. */
function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { name = 'object' } = (value.constructor ?? {}) as { readonly name?: string };
  return `an object (${name})`;
}
