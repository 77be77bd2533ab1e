import { createByteCollector } from '../byte-collector.ts';
import { isDeadline, waitFor, withDeadline } from '../concurrency/deadline.ts';
import type { RegistryError } from '../errors.ts';
import type { ClientRequest } from '../registry/client-request.ts';

/** The most that is read of a body, and the errors beyond it. */
export interface BodyLimits {
  readonly bytes: number;
  /** For the whole body. */
  readonly milliseconds: number;
  readonly tooLarge: () => RegistryError;
  readonly tooSlow: () => RegistryError;
  /** Looks at each part, and may refuse it by an error. */
  readonly onPart?: (part: Uint8Array) => void;
}

/**
 * Reads the whole body of a client's request.
 * @throws the errors of the limits; the reason of the request's signal after the client has left.
 */
export function readBody(request: ClientRequest, limits: BodyLimits): Promise<Uint8Array> {
  return withDeadline(limits.milliseconds, request.context.signal, async (signal) => {
    try {
      return await readAll(request, limits, signal);
    } catch (error) {
      throw isDeadline(signal) ? limits.tooSlow() : error;
    }
  });
}

async function readAll(
  request: ClientRequest,
  { bytes, tooLarge, onPart }: BodyLimits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stated = Number(request.headers.get('content-length') ?? 0);
  if (stated > bytes) throw tooLarge();
  const reader = request.body()?.getReader();
  const parts = createByteCollector();
  for (let length = 0; reader !== undefined; ) {
    const { done, value } = await waitFor(reader.read(), signal);
    if (done) break;
    length += value.length;
    // The rest is neither read nor cancelled: that would close the connection before the response is sent.
    if (length > bytes) throw tooLarge();
    onPart?.(value);
    parts.add(value);
  }
  return parts.whole();
}
