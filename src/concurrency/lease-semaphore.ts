import { createFairQueue, type QueueEntry } from './fair-queue.ts';

/** The owner that a lease counts for: a path, like `[upstream, address, login, repository]`, of one length everywhere. */
export type LeaseOwner = readonly string[];

/** The order in which classes of work are served. Work for a client that waits comes before all other. */
export const leaseClasses = ['normal', 'deferred', 'background'] as const;
export type LeaseClass = (typeof leaseClasses)[number];

/** The right to be one of the few that work at once. */
export interface Lease {
  /** Says that the work goes on. */
  touch(): void;
  /**
   * The kind of owner that wants the lease: `other`, another owner of the same class or an earlier one; `shorter`, one that has
   * fewer leases than this owner has. undefined: the lease can be kept.
   */
  wantedBy(): 'shorter' | 'other' | undefined;
  /** Counts the work among another class from now on. */
  reclassify(to: LeaseClass): void;
  /** Can be called more than once. */
  release(): void;
}

/** A place in the line. */
export interface LeaseRequest {
  readonly granted: Promise<Lease>;
  /** Lines up for another owner too: the owner whose turn comes first brings the lease. */
  joinAs(owner: LeaseOwner): void;
  /** Leaves the line; `granted` then never settles. A lease that was granted is released. */
  leave(): void;
}

export interface LeaseSemaphore {
  request(owner: LeaseOwner, of: LeaseClass): LeaseRequest;
  /** Milliseconds until a request that is made now is granted, going by the leases of the last minutes. */
  expectedWait(): number;
}

export interface LeaseSemaphoreOptions {
  /** How many work at once. Work of the later classes always leaves one of them to the first. */
  readonly limit: number;
  /** A lease that was not touched for this long is taken away. */
  readonly staleMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

interface Held {
  readonly owner: LeaseOwner;
  of: LeaseClass;
  readonly since: number;
  touched: number;
}

interface Waiting {
  readonly grant: (owner: LeaseOwner) => void;
}

/** Before any lease has ended. */
const usualHoldMs = 15_000;

/**
 * A line for a few places that owners share equally (`FairQueue`). A place is not only given back but also taken away:
 * on Workers the work of a request that ends stops where it is, without a `finally`, and would hold its place for as
 * long as the isolate lives. For the same reason every request in line looks after the line by itself.
 */
export function createLeaseSemaphore({ limit, staleMs, clock }: LeaseSemaphoreOptions): LeaseSemaphore {
  const held = new Map<Lease, Held>();
  const lines = new Map(leaseClasses.map((each) => [each, createFairQueue<Waiting>()]));
  let holdMs = usualHoldMs;

  const lineOf = (of: LeaseClass) => lines.get(of) ?? createFairQueue<Waiting>();

  function mayBegin(of: LeaseClass): boolean {
    if (of === 'normal' || limit === 1) return held.size < limit;
    const later = [...held.values()].filter((each) => each.of !== 'normal').length;
    return held.size < limit && later < limit - 1;
  }

  function admit(): void {
    for (const [lease, { touched }] of held) if (clock() - touched > staleMs) held.delete(lease);
    for (const of of leaseClasses) {
      while (mayBegin(of)) {
        let owner: LeaseOwner = [];
        const next = lineOf(of).shift((_, candidate) => {
          owner = candidate;
          return true;
        });
        if (next === undefined) break;
        next.grant(owner);
      }
    }
  }

  /** Leases of the part of a path that ends at `depth`. */
  function countOf(path: LeaseOwner, depth: number): number {
    const isBelow = (owner: LeaseOwner) => path.slice(0, depth + 1).every((name, at) => owner[at] === name);
    return [...held.values()].filter(({ owner }) => isBelow(owner)).length;
  }

  function wantedBy(lease: Lease): 'shorter' | 'other' | undefined {
    const own = held.get(lease);
    if (own === undefined) return 'shorter';
    let wanted: 'shorter' | 'other' | undefined;
    for (const of of leaseClasses.slice(0, leaseClasses.indexOf(own.of) + 1)) {
      const isShorter = lineOf(of).some((_, owner) => {
        const depth = owner.findIndex((name, at) => own.owner[at] !== name);
        if (depth === -1) return of !== own.of;
        wanted = 'other';
        return countOf(own.owner, depth) > countOf(owner, depth);
      });
      if (isShorter) return 'shorter';
    }
    return wanted;
  }

  function begin(owner: LeaseOwner, of: LeaseClass): Lease {
    const lease: Lease = {
      touch() {
        const own = held.get(lease);
        if (own) own.touched = clock();
      },
      wantedBy: () => wantedBy(lease),
      reclassify(to) {
        const own = held.get(lease);
        if (own) own.of = to;
      },
      release() {
        const own = held.get(lease);
        if (own === undefined) return;
        held.delete(lease);
        holdMs = (holdMs * 3 + Math.max(0, clock() - own.since)) / 4;
        admit();
      },
    };
    const now = clock();
    held.set(lease, { owner, of, since: now, touched: now });
    return lease;
  }

  function request(first: LeaseOwner, of: LeaseClass): LeaseRequest {
    const { promise: granted, resolve } = Promise.withResolvers<Lease>();
    const entries: QueueEntry[] = [];
    let lease: Lease | undefined;
    let over = false;
    const watch = setInterval(admit, Math.ceil(staleMs / 4));
    const leaveLine = () => {
      over = true;
      clearInterval(watch);
      for (const entry of entries.splice(0)) entry.leave();
    };
    const waiting: Waiting = {
      grant(owner) {
        leaveLine();
        lease = begin(owner, of);
        resolve(lease);
      },
    };
    const joinAs = (owner: LeaseOwner) => {
      if (!over) entries.push(lineOf(of).push(owner, waiting));
      admit();
    };
    joinAs(first);
    return {
      granted,
      joinAs,
      leave() {
        leaveLine();
        lease?.release();
      },
    };
  }

  return {
    request,
    expectedWait() {
      const inLine = [...lines.values()].reduce((sum, { size }) => sum + size, 0);
      return inLine === 0 && held.size < limit ? 0 : ((inLine + 1) * holdMs) / limit;
    },
  };
}
