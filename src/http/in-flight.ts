import type { MiddlewareHandler } from 'hono';
import { RegistryError } from '../errors.ts';
import { type Env, responseFinished } from './env.ts';

/** Counts requests that are being worked on, and responses that are being sent. */
export interface InFlight {
  /** Requests without a response yet. */
  readonly requests: number;
  /** Responses that have begun and not ended: mostly layers. */
  readonly streams: number;
  /**
   * Takes a slot for one request.
   * @returns undefined if all slots are taken. A client that is refused at once can come back; a client that waits in a
   *   line that grows gives up at its own deadline.
   */
  acquire(): InFlightSlot | undefined;
}

export interface InFlightSlot {
  /** The response begins. */
  responding(): void;
  /** The response has ended, whole or not. */
  release(): void;
}

/** @param most requests and streams together. */
export function createInFlight(most: number): InFlight {
  let requests = 0;
  let streams = 0;
  return {
    get requests() {
      return requests;
    },
    get streams() {
      return streams;
    },
    acquire() {
      if (requests + streams >= most) return undefined;
      requests += 1;
      return {
        responding() {
          requests -= 1;
          streams += 1;
        },
        release() {
          streams -= 1;
        },
      };
    },
  };
}

/** Middleware: takes a slot for the request and gives it back when the response has ended. Refuses with 503. */
export function inFlightLimit(inFlight: InFlight): MiddlewareHandler<Env> {
  return async (context, next) => {
    const slot = inFlight.acquire();
    if (slot === undefined) throw tooMany();
    try {
      await next();
    } finally {
      slot.responding();
      responseFinished(context.env, () => slot.release());
    }
  };
}

function tooMany(): RegistryError {
  const message =
    'regshift has as many requests in progress as REGSHIFT_MAX_REQUESTS allows. Try again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}
