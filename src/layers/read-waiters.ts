import type { Digest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import { isDeadline, waitFor } from '../concurrency/deadline.ts';
import { corruptLayer } from './corrupt-layer.ts';
import type { LayerRequest } from './layer-request.ts';

/** The requests that wait for one read. */
export interface ReadWaiters {
  isEmpty(): boolean;
  /** @returns the request if it still waits, or another one that waits; the request itself if there is none. */
  successorOf(request: LayerRequest): LayerRequest;
  /** Refuses the requests whose manifest allows fewer compressed bytes than were read. */
  noteRead(bytes: number): void;
  /** As `BackgroundRead.wait`. */
  wait(
    request: LayerRequest,
    facts: Promise<LayerFacts>,
    signal: AbortSignal | undefined,
  ): Promise<LayerFacts>;
}

interface Waiter {
  readonly request: LayerRequest;
  readonly maxSize: number;
  readonly reject: (error: unknown) => void;
}

/** @param onLeft called when a request waits no more, and its client does not come back. */
export function createReadWaiters(digest: Digest, onLeft: () => void): ReadWaiters {
  const waiters = new Set<Waiter>();
  return {
    isEmpty: () => waiters.size === 0,

    successorOf(request) {
      const all = [...waiters].map((waiter) => waiter.request);
      return all.includes(request) ? request : (all[0] ?? request);
    },

    noteRead(bytes) {
      for (const waiter of waiters) {
        if (bytes <= waiter.maxSize) continue;
        waiter.reject(tooLarge(digest, waiter.maxSize));
        waiters.delete(waiter);
        onLeft();
      }
    },

    async wait(request, facts, signal) {
      const { promise: refused, reject } = Promise.withResolvers<never>();
      const waiter = { request, maxSize: request.maxSize ?? Number.POSITIVE_INFINITY, reject };
      waiters.add(waiter);
      try {
        return await waitFor(Promise.race([facts, refused]), signal);
      } finally {
        waiters.delete(waiter);
        // After a deadline, the client learns when to come back (`keepFor`). After any other abort, it has left.
        if (signal === undefined || !isDeadline(signal)) onLeft();
      }
    },
  };
}

function tooLarge(digest: Digest, maxSize: number): Error {
  const problem = `came with more than ${maxSize} bytes, far more than its manifest says. Try again.`;
  return corruptLayer('claim', `layer ${digest}`, problem);
}
