import { limits } from '../../../converters/limits.ts';
import type { TakeTurn } from '../../../converters/ports.ts';
import type { Clock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { readBody } from '../request-body.ts';
import { createJsonPartCounter } from './json-parts.ts';

/** Bytes of a notification: zot sends the whole manifest in it, as a text in JSON. */
const mostBytes = 2 * 2 ** 20;

/**
 * Commas and opening brackets of a notification. docker-registry 2 and 3 send one event (distribution,
 * notifications/http.go, `Write`), which has 30, and up to ten for each part of the manifest (event.go,
 * `References`); so it has more only for a manifest with more values than regshift reads.
 */
const mostParts = limits.jsonValues;

/** Notifications that are read at once. */
const mostAtOnce = 16;

/**
 * Milliseconds for the whole body. A registry has it in memory when it sends the headers, and gives up itself after 1 s
 * (docker-registry, notifications/endpoint.go, `defaults`) or the time that its settings name.
 */
const longestMs = 10_000;

export interface EventBodyOptions {
  readonly clock: Clock;
  /** Waits for a turn of the event loop to work on a document. Without it, all work is done at once. */
  readonly turn?: TakeTurn | undefined;
}

/**
 * Reads the body of a notification as JSON.
 * @throws RegistryError EVENT_INVALID, EVENT_TOO_LARGE, EVENT_TIMEOUT, OVERLOADED; the reason of the signal after the
 *   registry has left.
 */
export type ReadEventBody = (request: ClientRequest) => Promise<unknown>;

export function createEventBodies({ clock, turn }: EventBodyOptions): ReadEventBody {
  const reading = new Map<object, number>();
  return async (request) => {
    // On Workers, a request that ends may stop without its `finally`.
    for (const [place, since] of reading) if (clock() - since > longestMs) reading.delete(place);
    if (reading.size >= mostAtOnce) throw tooMany();
    const place = {};
    reading.set(place, clock());
    try {
      const bytes = await readInTime(request);
      // One body is text and values at a time, and the others are bytes meanwhile.
      await turn?.(bytes.length);
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      request.context.signal?.throwIfAborted();
      throw new RegistryError('EVENT_INVALID', 'The notification is no JSON, or broke off before its end.');
    } finally {
      reading.delete(place);
    }
  };
}

function readInTime(request: ClientRequest): Promise<Uint8Array> {
  const counter = createJsonPartCounter();
  return readBody(request, {
    bytes: mostBytes,
    milliseconds: longestMs,
    tooLarge: () => tooLarge(`more than ${mostBytes} bytes`),
    tooSlow,
    onPart(part) {
      if (counter.add(part) > mostParts) throw tooLarge(`more than ${mostParts} values`);
    },
  });
}

function tooLarge(found: string): RegistryError {
  return new RegistryError(
    'EVENT_TOO_LARGE',
    `The notification has ${found}, the most that regshift reads. Its image is made at its first pull.`,
  );
}

/** The connection would wait for the rest of the body, so it ends (RFC 9110, section 15.5.9). */
function tooSlow(): RegistryError {
  const message = `The notification did not arrive within ${longestMs / 1000} seconds. Send it again.`;
  return new RegistryError('EVENT_TIMEOUT', message, { headers: { connection: 'close' } });
}

function tooMany(): RegistryError {
  const message = 'regshift reads as many notifications as it can at once. Send it again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}
