import { limits } from '../../../converters/limits.ts';
import type { ForwardBody } from '../../registry/push/upload-blob.ts';
import { readBounded } from '../../upstream/body.ts';
import type { Fetch } from '../../upstream/send.ts';

/**
 * Limits for reading a connection after its refusal. A client that reads while it writes, such as Go's net/http and
 * curl, has the response after one round trip and closes the connection itself. Go's server waits for 500 ms
 * (`rstAvoidanceDelay`), and waiting costs a Worker no CPU time. @hono/node-server reads as many bytes.
 */
const lingering = { milliseconds: 2_000, bytes: 67_108_864 };

/** Bodies on their way to upstream, each with the promise of its end. */
const forwarded = new WeakMap<ReadableStream, Promise<void>>();

/** Signals for the requests that send forwarded bodies. */
const brokenBodies = new WeakMap<object, AbortSignal>();

/** Milliseconds for a response of a registry that closed the connection in the middle of a body. */
const responseMs = 250;

/**
 * Pipes a client's body to upstream. workerd copies the bytes without JavaScript. Its `pipeTo` ends a body of unknown
 * length as if it were whole when the client leaves in the middle (seen with workerd 1.20261102.1), so the failure ends the
 * request to upstream by a signal.
 * @param length bytes of the body; undefined where the client announced none.
 */
export const forwardBody: ForwardBody = (body, length) => {
  const { readable, writable } =
    length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const broken = new AbortController();
  const sent = body.pipeTo(writable, { preventAbort: true });
  sent.catch((error: unknown) => setTimeout(() => broken.abort(error), responseMs));
  forwarded.set(body, sent);
  brokenBodies.set(readable, broken.signal);
  return readable;
};

/**
 * The `fetch` of the runtime, for bodies of `forwardBody` and all others. A body that breaks ends the request, unless the
 * response is there: a registry that refuses a body closes its connection, too. Cloudflare would keep responses whose path
 * ends like a file, such as a tag `1.0.zip`, for two hours and for all types (Cloudflare, "Default cache behavior").
 */
export const fetchWithBody: Fetch = async (url, given) => {
  const init = { ...given, cache: 'no-store' as const };
  const { body, signal } = init;
  const broken = body instanceof ReadableStream ? brokenBodies.get(body) : undefined;
  if (broken === undefined) return fetch(url, init);
  const early = new AbortController();
  const end = () => early.abort(broken.reason);
  // The client may have left before regshift had a token.
  if (broken.aborted) end();
  broken.addEventListener('abort', end);
  try {
    const signals = signal ? [signal, early.signal] : [early.signal];
    return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
  } finally {
    broken.removeEventListener('abort', end);
  }
};

/**
 * Keeps the connection of a request that is refused before its body has been read. workerd closes it when the response
 * has ended and 64 KiB more of the body have come (kj, http.c++, `canceledUploadGraceBytes`). The system then resets the
 * connection, and a client that still writes reports `broken pipe` in place of the refusal (Go, net/http, transport.go).
 * So all bytes of the response go out at once, and its stream ends when the body has ended, or after the time of
 * `lingering`. The response has a length, so its reader does not wait for the end of the stream. A forwarded body is not
 * read here: an abort of `pipeTo` makes its source unreadable, also with `preventCancel` (workerd, streams/internal.c++,
 * `writeLoop`).
 * @returns the same response for all others.
 */
export async function lingerAfterRefusal({ body }: Request, response: Response): Promise<Response> {
  if (body === null || response.status < 400) return response;
  const text = await readBounded(response, limits.documentBytes, 'an error').catch(() => new Uint8Array());
  const { readable, writable } = new FixedLengthStream(text.length);
  endLate(writable, text, forwarded.get(body) ?? discard(body)).catch(() => undefined);
  const headers = new Headers(response.headers);
  headers.set('content-length', String(text.length));
  return new Response(readable, { status: response.status, headers });
}

/** @param bodyEnd rejects where the rest of the body cannot be read. */
async function endLate(
  writable: WritableStream<Uint8Array>,
  text: Uint8Array,
  bodyEnd: Promise<void>,
): Promise<void> {
  const writer = writable.getWriter();
  const late = new Promise<void>((resolve) => setTimeout(resolve, lingering.milliseconds));
  await writer.write(text);
  await Promise.race([bodyEnd.catch(() => late), late]);
  await writer.close();
}

/** Bytes of one read: smaller ones cost more time than the copy of the bytes. */
const pieceBytes = 262_144;

/** Reads a body that was not forwarded to its end. @throws Error where it has more bytes than `lingering` allows. */
async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader({ mode: 'byob' });
  let buffer = new ArrayBuffer(pieceBytes);
  for (let left = lingering.bytes; left > 0; ) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return;
    left -= value.length;
    buffer = value.buffer;
  }
  throw new Error('the rest of a refused body is too long');
}
