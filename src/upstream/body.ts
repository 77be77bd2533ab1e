import { createByteCollector } from '../byte-collector.ts';
import { isAbort } from '../concurrency/deadline.ts';
import { hasCode, RegistryError } from '../errors.ts';
import { isSilence } from './network-errors.ts';

/** The parts of a response that a reader needs. */
export type ReadableResponse = Pick<Response, 'headers' | 'body'>;

/**
 * Milliseconds from the headers to the last byte of a document, which has 4 MiB at most: lines of 14 KB/s. The requests
 * that wait share it and hold no turn of others.
 */
const documentDeadlineMs = 300_000;

/**
 * Reads a body of at most `limit` bytes.
 * @param what the name of the body in messages, like `the manifest`.
 * @throws RegistryError UPSTREAM_CONTENT when it is larger, UPSTREAM_ANSWER when it is encoded, ends early or is longer
 *   than its Content-Length, UPSTREAM_TIMEOUT when it does not end in time. An abort of the caller is thrown as it is.
 */
export async function readBounded(
  response: ReadableResponse,
  limit: number,
  what: string,
  deadlineMs = documentDeadlineMs,
): Promise<Uint8Array> {
  await refuseEncoded(response, what);
  const announced = contentLength(response);
  if (announced !== undefined && announced > limit) {
    await discard(response);
    throw tooLarge(what, limit, `${announced} bytes`);
  }
  const chunks = createByteCollector();
  let length = 0;
  for await (const chunk of chunksOf(response, what, deadlineMs)) {
    length += chunk.length;
    // Leaving the loop by a throw cancels the stream.
    if (length > limit) throw tooLarge(what, limit, 'more');
    chunks.add(chunk);
  }
  if (announced !== undefined && announced !== length) {
    throw new RegistryError(
      'UPSTREAM_ANSWER',
      `Upstream sent ${length} bytes of ${what} and had announced ${announced}. Try again.`,
    );
  }
  return chunks.whole();
}

/**
 * Values of Content-Encoding that encode nothing. S3 keeps `aws-chunked` of an upload with the object, whose bytes it has
 * decoded (Amazon S3, "Signature Calculations for the Authorization Header"). `none` and `binary` are no codings of RFC
 * 9110, section 8.4.1, and stand for none.
 */
const plainEncodings = ['', 'identity', 'none', 'binary', 'aws-chunked'];

/** The Content-Encoding that a body really has, in lower case; undefined for none. */
export function encodingOf({ headers }: Pick<Response, 'headers'>): string | undefined {
  const value = headers.get('content-encoding')?.toLowerCase() ?? '';
  const codings = value.split(',').map((each) => each.trim());
  return codings.every((each) => plainEncodings.includes(each)) ? undefined : value.trim();
}

/** Reads the words of an error. The status is enough, so a client waits no more than 3 s for them. @throws as `readBounded`. */
export function readWords(response: ReadableResponse): Promise<Uint8Array> {
  return readBounded(response, 65_536, 'an error', 3_000);
}

/**
 * An error whose words came with gzip, with plain words. Every request accepts `identity` alone, and a gateway may
 * compress all the same. Clients accept gzip and read the words at the registry itself. `fetch` of the web has decoded
 * them, and leaves the header.
 * @returns without words where they cannot be read; without gzip, the response as it is. @throws an abort of the caller.
 */
export async function withPlainWords(response: Response): Promise<Response> {
  const { status, body } = response;
  if (body === null || !['gzip', 'x-gzip'].includes(encodingOf(response) ?? '')) return response;
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  try {
    const bytes = await readWords({ headers, body });
    const isPlain = bytes[0] !== 0x1f || bytes[1] !== 0x8b;
    const plain = isPlain ? bytes : await readWords({ headers, body: gunzipped(bytes) });
    return new Response(plain as Uint8Array<ArrayBuffer>, { status, headers });
  } catch (error) {
    if (isAbort(error)) throw error;
    return new Response(null, { status, headers });
  }
}

function gunzipped(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
}

/**
 * Refuses a body with a Content-Encoding. Every request accepts `identity` alone (client.ts). `fetch` decodes a body
 * silently and leaves the headers as they were, so that lengths and ranges would be about other bytes.
 * @throws RegistryError UPSTREAM_ANSWER.
 */
export async function refuseEncoded(response: ReadableResponse, what: string): Promise<void> {
  const encoding = encodingOf(response);
  if (encoding === undefined) return;
  await discard(response);
  throw new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream sent ${what} with Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} though it was asked ` +
      'for identity. Switch off compression in front of the registry.',
  );
}

/** Cancels a body that is not read, so that its connection is free. Never throws. */
export async function discard(response: Pick<Response, 'body'>): Promise<void> {
  try {
    await response.body?.cancel();
  } catch {
    // The body is locked, broken or read already: there is nothing left to cancel.
  }
}

/** The Content-Length; undefined without a readable one. */
export function contentLength({ headers }: Pick<Response, 'headers'>): number | undefined {
  const value = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/**
 * Reads a body chunk by chunk; leaving the loop cancels it. @throws RegistryError UPSTREAM_ANSWER when it ends early,
 * UPSTREAM_TIMEOUT when it does not end in time. An abort of the caller is thrown as it is.
 * @param deadlineMs milliseconds of waiting for upstream in all; the time of the reader does not count.
 */
export async function* chunksOf(
  response: ReadableResponse,
  what: string,
  deadlineMs = documentDeadlineMs,
): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let [ended, left] = [false, deadlineMs];
  const read = async () => {
    const started = performance.now();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reader.cancel().catch(() => undefined);
    }, left);
    const result = await reader.read().finally(() => clearTimeout(timer));
    if (late) throw tooLate(what, deadlineMs);
    left -= performance.now() - started;
    return result;
  };
  try {
    for (;;) {
      const { done, value } = await read();
      ended = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    ended = true;
    throw isRegistryOrAbortError(error) ? error : cutShort(what, error);
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}

/** Whether an error can be thrown on unchanged: regshift's own error, or an abort. */
export function isRegistryOrAbortError(error: unknown): boolean {
  return error instanceof RegistryError || isAbort(error);
}

/** The error of a body that ends early. @param what as in `readBounded`. */
export function cutShort(what: string, cause: unknown): RegistryError {
  return new RegistryError('UPSTREAM_ANSWER', `Upstream broke off before ${what} was complete. Try again.`, {
    cause,
  });
}

/** Whether the connection of a body ended too early. A silence has taken long, and the same request may take as long. */
export function isBrokenOff(error: unknown): boolean {
  return hasCode(error, 'UPSTREAM_ANSWER') && isCut(error.cause);
}

const isCut = (cause: unknown) => cause !== undefined && !isSilence(cause);

function tooLate(what: string, deadlineMs: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `Upstream began to send ${what} and did not end within ${deadlineMs / 1000} s. Check that it is healthy, and try ` +
      'again.',
  );
}

function tooLarge(what: string, limit: number, found: string): RegistryError {
  return new RegistryError(
    'UPSTREAM_CONTENT',
    `Upstream sent ${found} for ${what}; at most ${limit} bytes are read.`,
    { detail: { fault: 'too-large' } },
  );
}
