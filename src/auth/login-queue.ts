import { isDeadline, waitFor, withDeadline } from '../concurrency/deadline.ts';
import { createFairQueue, type QueueEntry } from '../concurrency/fair-queue.ts';
import { RegistryError } from '../errors.ts';

/** A check of a login that takes much time of a processor. */
export interface LoginCheck {
  /** The client's address, as `Requester` has it. */
  readonly address: string;
  /** As the client states it: names of one address take turns, whether such users exist or not. */
  readonly username: string;
  /** The same for equal logins, which share one check. It holds no password. */
  readonly key: string;
  readonly run: () => Promise<boolean>;
}

/**
 * The line in which logins wait for their check. One check runs at a time; addresses take turns. The line is bounded
 * in all and for each address, and no login waits for longer than a client does.
 */
export interface LoginQueue {
  /** @throws RegistryError OVERLOADED when the line is full or the wait too long; what `run` throws; the signal's reason. */
  check(check: LoginCheck, signal: AbortSignal | undefined): Promise<boolean>;
}

/**
 * A comparison at bcrypt's usual cost of 10 takes some 100 ms in JavaScript: an address that floods alone makes its
 * own logins wait for 3 s. A login from another address waits for one comparison of each address before it.
 */
const mostOfAddress = 32;
const mostInAll = 200;

/** Docker waits for 10 s at a ping. The client should read the refusal before that. */
const patienceMs = 8_000;

/** workerd may end a request in the middle of its check: the check is over then, though nothing says so. */
const longestCheckMs = 60_000;

interface Waiting {
  readonly check: LoginCheck;
  readonly result: PromiseWithResolvers<boolean>;
  /** The number of requests that wait for the result. */
  requests: number;
}

interface Running {
  readonly waiting: Waiting;
  readonly since: number;
}

/** @param clock milliseconds since the epoch. */
export function createLoginQueue(clock: () => number): LoginQueue {
  const queue = createFairQueue<Waiting>();
  /** By address: logins in line. */
  const inLine = new Map<string, Map<Waiting, QueueEntry>>();
  /** By address and key: logins in line, and the one that is checked. */
  const known = new Map<string, Waiting>();
  let running: Running | undefined;

  function enter(check: LoginCheck): Waiting {
    const own = inLine.get(check.address) ?? new Map<Waiting, QueueEntry>();
    if (own.size >= mostOfAddress) throw overloaded();
    if (queue.size >= mostInAll) makeRoom(own.size);
    const waiting: Waiting = { check, result: Promise.withResolvers(), requests: 0 };
    // The requests may all have left when the check fails.
    waiting.result.promise.catch(() => undefined);
    own.set(waiting, queue.push([check.address, check.username], waiting));
    inLine.set(check.address, own);
    known.set(keyOf(check), waiting);
    return waiting;
  }

  /** An address with few logins in line takes the last place of the one that has most. */
  function makeRoom(ownSize: number): void {
    const [fullest] = [...inLine.values()].toSorted((one, other) => other.size - one.size);
    const last = fullest && fullest.size > ownSize + 1 ? [...fullest.keys()].at(-1) : undefined;
    if (last === undefined) throw overloaded();
    leave(last);
    last.result.reject(overloaded());
  }

  /** Does nothing for a login that is no longer in line. */
  function leave(waiting: Waiting): void {
    if (!inLine.get(waiting.check.address)?.get(waiting)?.leave()) return;
    takeOut(waiting);
    known.delete(keyOf(waiting.check));
  }

  function takeOut(waiting: Waiting): void {
    const { address } = waiting.check;
    const own = inLine.get(address);
    own?.delete(waiting);
    if (own?.size === 0) inLine.delete(address);
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
        return await withDeadline(patienceMs, signal, (ends) => inTime(waiting.result.promise, ends));
      } finally {
        waiting.requests -= 1;
        if (waiting.requests === 0) leave(waiting);
      }
    },
  };
}

/** A login that another address sends too waits for its own turn: a flood of the one must not delay the other. */
function keyOf({ address, key }: LoginCheck): string {
  return `${address} ${key}`;
}

async function inTime(result: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  try {
    return await waitFor(result, signal);
  } catch (error) {
    throw isDeadline(signal) ? overloaded() : error;
  }
}

function overloaded(): RegistryError {
  const message =
    'Too many logins wait to be checked here, and this one was not checked. Try again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}
