import { concatenate } from '../../../converters/bytes.ts';
import type { Clock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';

/** Bytes of a notification: zot sends the whole manifest in it, as a text in JSON. */
const mostBytes = 2 * 2 ** 20;

/** Notifications that are read at once. */
const mostAtOnce = 16;

/** Milliseconds until a place is free again: on Workers, a request that ends may stop without its `finally`. */
const staleMs = 60_000;

/** Reads the body of a notification as JSON. @throws RegistryError EVENT_INVALID, EVENT_TOO_LARGE, OVERLOADED. */
export type ReadEventBody = (request: ClientRequest) => Promise<unknown>;

export function createEventBodies(clock: Clock): ReadEventBody {
  const reading = new Map<object, number>();
  return async (request) => {
    for (const [place, since] of reading) if (clock() - since > staleMs) reading.delete(place);
    if (reading.size >= mostAtOnce) throw tooMany();
    const place = {};
    reading.set(place, clock());
    try {
      return JSON.parse(new TextDecoder().decode(await readAll(request)));
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      request.context.signal?.throwIfAborted();
      throw new RegistryError('EVENT_INVALID', 'The notification is no JSON, or broke off before its end.');
    } finally {
      reading.delete(place);
    }
  };
}

async function readAll(request: ClientRequest): Promise<Uint8Array> {
  const stated = Number(request.headers.get('content-length') ?? 0);
  if (stated > mostBytes) throw tooLarge();
  const reader = request.body()?.getReader();
  const chunks: Uint8Array[] = [];
  for (let length = 0; reader !== undefined; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    // The rest is neither read nor cancelled: that would close the connection before the response is sent.
    if (length > mostBytes) throw tooLarge();
    chunks.push(value);
  }
  return concatenate(chunks);
}

function tooLarge(): RegistryError {
  return new RegistryError(
    'EVENT_TOO_LARGE',
    `The notification has more than ${mostBytes} bytes, the most that regshift reads. Its image is made at its first pull.`,
  );
}

function tooMany(): RegistryError {
  const message = 'As many notifications as may be are read at this moment. Send it again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}
