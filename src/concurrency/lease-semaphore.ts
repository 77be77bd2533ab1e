import type { Clock } from '../clock.ts';
import { createFairQueue, type QueueEntry } from './fair-queue.ts';

/** The owner of a lease: a path, like `[upstream, address, login, repository]`, of the same length for all owners. */
export type LeaseOwner = readonly string[];

/** Classes of work in the order of service. Work that a client waits for comes first. */
export const leaseClasses = ['normal', 'deferred', 'background'] as const;
export type LeaseClass = (typeof leaseClasses)[number];

/** Permission to be one of the few pieces of work that run at once. */
export interface Lease {
  /** Reports progress. */
  touch(): void;
  /**
   * The kind of owner that waits for the lease: `shorter`, an owner with fewer leases than the owner of this lease, or
   * this owner in an earlier class; `other`, any other owner of the same class or an earlier one; undefined if there is
   * none. A revoked lease reports `shorter`.
   */
  wantedBy(): 'shorter' | 'other' | undefined;
  /** Moves the lease to another class. */
  reclassify(to: LeaseClass): void;
  /** Ends the lease; further calls do nothing. */
  release(): void;
}

/** A request that waits for a lease. */
export interface LeaseRequest {
  readonly granted: Promise<Lease>;
  /** Queues the request for another owner too. The owner whose turn comes first gets the lease. */
  joinAs(owner: LeaseOwner): void;
  /** Cancels the request: `granted` then never settles, or the granted lease is released. */
  leave(): void;
}

export interface LeaseSemaphore {
  request(owner: LeaseOwner, leaseClass: LeaseClass): LeaseRequest;
  /** Estimated wait of a new request in milliseconds, from the durations of recent leases. */
  expectedWait(): number;
}

export interface LeaseSemaphoreOptions {
  /** Maximum number of active leases. If it is above one, later classes leave one lease to the class `normal`. */
  readonly limit: number;
  /** Maximum number of active leases of owners with the same first name; no other than `limit` by default. */
  readonly perOwner?: number;
  /** A lease without `touch` for this long is revoked. */
  readonly staleMs: number;
  readonly clock: Clock;
}

interface ActiveLease {
  readonly owner: LeaseOwner;
  leaseClass: LeaseClass;
  readonly since: number;
  touched: number;
}

interface Waiting {
  readonly grant: (owner: LeaseOwner) => void;
}

/** The assumed duration of a lease before any lease has ended. */
const usualDurationMs = 15_000;

/**
 * A semaphore whose leases owners share equally (`FairQueue`). Stale leases are revoked: if Workers ends a request, its
 * work stops without running `finally`, and would keep its lease for as long as the isolate lives. For the same reason,
 * each waiting request runs a timer that serves the queues.
 */
export function createLeaseSemaphore(options: LeaseSemaphoreOptions): LeaseSemaphore {
  const { limit, perOwner = limit, staleMs, clock } = options;
  const active = new Map<Lease, ActiveLease>();
  const queues = new Map(leaseClasses.map((each) => [each, createFairQueue<Waiting>()]));
  let durationMs = usualDurationMs;

  const queueOf = (leaseClass: LeaseClass) => queues.get(leaseClass) ?? createFairQueue<Waiting>();

  function hasRoom(leaseClass: LeaseClass): boolean {
    if (leaseClass === 'normal' || limit === 1) return active.size < limit;
    const later = [...active.values()].filter((each) => each.leaseClass !== 'normal').length;
    return active.size < limit && later < limit - 1;
  }

  function admit(): void {
    for (const [lease, { touched }] of active) if (clock() - touched > staleMs) active.delete(lease);
    for (const leaseClass of leaseClasses) {
      while (hasRoom(leaseClass)) {
        let owner: LeaseOwner = [];
        const next = queueOf(leaseClass).shift((_, candidate) => {
          owner = candidate;
          return perOwner === limit || countOf(candidate, 0) < perOwner;
        });
        if (next === undefined) break;
        next.grant(owner);
      }
    }
  }

  /** Number of active leases whose owners share the path up to and including `depth`. */
  function countOf(path: LeaseOwner, depth: number): number {
    const isBelow = (owner: LeaseOwner) => path.slice(0, depth + 1).every((name, at) => owner[at] === name);
    return [...active.values()].filter(({ owner }) => isBelow(owner)).length;
  }

  function wantedBy(lease: Lease): 'shorter' | 'other' | undefined {
    const own = active.get(lease);
    if (own === undefined) return 'shorter';
    let wanted: 'shorter' | 'other' | undefined;
    for (const leaseClass of leaseClasses.slice(0, leaseClasses.indexOf(own.leaseClass) + 1)) {
      const isShorter = queueOf(leaseClass).some((_, owner) => {
        const depth = owner.findIndex((name, at) => own.owner[at] !== name);
        if (depth === -1) return leaseClass !== own.leaseClass;
        wanted = 'other';
        return countOf(own.owner, depth) > countOf(owner, depth);
      });
      if (isShorter) return 'shorter';
    }
    return wanted;
  }

  function begin(owner: LeaseOwner, leaseClass: LeaseClass): Lease {
    const lease: Lease = {
      touch() {
        const own = active.get(lease);
        if (own) own.touched = clock();
      },
      wantedBy: () => wantedBy(lease),
      reclassify(to) {
        const own = active.get(lease);
        if (own === undefined) return;
        own.leaseClass = to;
        admit();
      },
      release() {
        const own = active.get(lease);
        if (own === undefined) return;
        active.delete(lease);
        durationMs = (durationMs * 3 + Math.max(0, clock() - own.since)) / 4;
        admit();
      },
    };
    const now = clock();
    active.set(lease, { owner, leaseClass, since: now, touched: now });
    return lease;
  }

  function request(first: LeaseOwner, leaseClass: LeaseClass): LeaseRequest {
    const { promise: granted, resolve } = Promise.withResolvers<Lease>();
    const entries: QueueEntry[] = [];
    let lease: Lease | undefined;
    let hasLeft = false;
    const watch = setInterval(admit, Math.ceil(staleMs / 4));
    const leaveQueues = () => {
      hasLeft = true;
      clearInterval(watch);
      for (const entry of entries.splice(0)) entry.leave();
    };
    const waiting: Waiting = {
      grant(owner) {
        leaveQueues();
        lease = begin(owner, leaseClass);
        resolve(lease);
      },
    };
    const joinAs = (owner: LeaseOwner) => {
      if (!hasLeft) entries.push(queueOf(leaseClass).push(owner, waiting));
      admit();
    };
    joinAs(first);
    return {
      granted,
      joinAs,
      leave() {
        leaveQueues();
        lease?.release();
      },
    };
  }

  return {
    request,
    expectedWait() {
      const waiting = [...queues.values()].reduce((sum, { size }) => sum + size, 0);
      return waiting === 0 && active.size < limit ? 0 : ((waiting + 1) * durationMs) / limit;
    },
  };
}
