import { type Patience, waitFor } from '../concurrency/deadline.ts';
import type { Lease, LeaseClass, LeaseOwner, LeaseSemaphore } from '../concurrency/lease-semaphore.ts';

/** The leases of one read, one after the other. All requests that wait for the read are in the queue for each of them. */
export interface ReadLeases {
  joinAs(owner: LeaseOwner): void;
  /** Waits for the lease. @throws as `waitFor`; the read then leaves the queue. */
  granted(signal: AbortSignal, patience: Patience | undefined): Promise<Lease>;
  /** Queues for another lease. */
  requestAgain(leaseClass: LeaseClass): void;
}

export function createReadLeases(
  semaphore: LeaseSemaphore,
  first: LeaseOwner,
  initialClass: LeaseClass,
): ReadLeases {
  const others = new Map<string, LeaseOwner>();
  let request = semaphore.request(first, initialClass);
  return {
    joinAs(owner) {
      const name = owner.join('\0');
      if (name === first.join('\0') || others.has(name)) return;
      others.set(name, owner);
      request.joinAs(owner);
    },
    async granted(signal, patience) {
      try {
        return await waitFor(request.granted, signal, patience);
      } catch (error) {
        request.leave();
        throw error;
      }
    },
    requestAgain(leaseClass) {
      request = semaphore.request(first, leaseClass);
      for (const owner of others.values()) request.joinAs(owner);
    },
  };
}
