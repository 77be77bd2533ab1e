import type { Clock } from '../clock.ts';
import { waitFor } from '../concurrency/deadline.ts';
import { createFairQueue, type QueueEntry } from '../concurrency/fair-queue.ts';
import { RegistryError } from '../errors.ts';

/** A check of a login that takes much processor time. */
export interface LoginCheck {
  /** The client's address, as `Requester` has it. */
  readonly address: string;
  /** As the client states it. The names from one address take turns, whether such users exist or not. */
  readonly username: string;
  /** Equal for equal logins that are compared with the same hash: they share one check. It contains no password. */
  readonly key: string;
  readonly run: () => Promise<boolean>;
}

/**
 * The queue in which logins wait for their check. One check runs at a time, and addresses take turns. The queue is
 * bounded in total and for each address, and no login waits longer than its client does.
 */
export interface LoginQueue {
  /**
   * @throws RegistryError OVERLOADED if the queue is full or the wait too long; the errors of `run`; the signal's
   *   reason.
   */
  check(check: LoginCheck, signal: AbortSignal | undefined): Promise<boolean>;
}

/**
 * The limits of the queue. A comparison at bcrypt's usual cost of 10 takes some 100 ms in JavaScript. A flood from one
 * address therefore makes the logins of that address wait for 3 s; a login from another address waits for one
 * comparison of each address before it.
 */
const addressLimit = 32;
const totalLimit = 200;

/** The longest wait. Docker gives up a ping after 10 s; the client should get the refusal before that. */
const longestWaitMs = 8_000;

/** The longest check. workerd may end a request during its check, which then never ends. */
const longestCheckMs = 60_000;

interface Waiting {
  readonly check: LoginCheck;
  readonly result: PromiseWithResolvers<boolean>;
  /** The number of requests that wait for this result. */
  requests: number;
}

interface Running {
  readonly waiting: Waiting;
  readonly since: number;
}

export function createLoginQueue(clock: Clock): LoginQueue {
  const queue = createFairQueue<Waiting>();
  /** The logins in the queue, by address. */
  const queued = new Map<string, Map<Waiting, QueueEntry>>();
  /** The logins in the queue and the one whose check runs, by address and key. */
  const known = new Map<string, Waiting>();
  let running: Running | undefined;

  function enter(check: LoginCheck): Waiting {
    const own = queued.get(check.address) ?? new Map<Waiting, QueueEntry>();
    if (own.size >= addressLimit) throw overloaded();
    if (queue.size >= totalLimit) makeRoom(own.size);
    const waiting: Waiting = { check, result: Promise.withResolvers(), requests: 0 };
    // All requests may have left before the check fails.
    waiting.result.promise.catch(() => undefined);
    own.set(waiting, queue.push([check.address, check.username], waiting));
    queued.set(check.address, own);
    known.set(keyOf(check), waiting);
    return waiting;
  }

  /** Removes the last login of the address with the most logins, for an address with fewer. */
  function makeRoom(ownSize: number): void {
    const [fullest] = [...queued.values()].toSorted((one, other) => other.size - one.size);
    const last = fullest && fullest.size > ownSize + 1 ? [...fullest.keys()].at(-1) : undefined;
    if (last === undefined) throw overloaded();
    leave(last);
    last.result.reject(overloaded());
  }

  /** Removes a login from the queue; does nothing if it is no longer there. */
  function leave(waiting: Waiting): void {
    if (!queued.get(waiting.check.address)?.get(waiting)?.leave()) return;
    takeOut(waiting);
    known.delete(keyOf(waiting.check));
  }

  function takeOut(waiting: Waiting): void {
    const { address } = waiting.check;
    const own = queued.get(address);
    own?.delete(waiting);
    if (own?.size === 0) queued.delete(address);
  }

  async function runNext(): Promise<void> {
    const waiting = running ? undefined : queue.shift();
    if (waiting === undefined) return;
    takeOut(waiting);
    const own = { waiting, since: clock() };
    running = own;
    await waiting.check.run().then(waiting.result.resolve, waiting.result.reject);
    if (running === own) end(own);
    void runNext();
  }

  function end({ waiting }: Running, error?: RegistryError): void {
    if (error) waiting.result.reject(error);
    known.delete(keyOf(waiting.check));
    running = undefined;
  }

  return {
    async check(check, signal) {
      signal?.throwIfAborted();
      if (running && clock() - running.since >= longestCheckMs) end(running, overloaded());
      const waiting = known.get(keyOf(check)) ?? enter(check);
      waiting.requests += 1;
      void runNext();
      try {
        const patience = { milliseconds: longestWaitMs, late: overloaded };
        return await waitFor(waiting.result.promise, signal, patience);
      } finally {
        waiting.requests -= 1;
        if (waiting.requests === 0) leave(waiting);
      }
    },
  };
}

/** The key of a check. Equal logins of two addresses are checked apart: a flood from one must not delay the other. */
function keyOf({ address, key }: LoginCheck): string {
  return `${address} ${key}`;
}

function overloaded(): RegistryError {
  const message =
    'Too many logins wait to be checked here, and this one was not checked. Try again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}
