import type { Clock } from '../clock.ts';
import { createFairQueue } from './fair-queue.ts';

/** Permission to be one of the few pieces of work that run at once. */
export interface LineLease {
  /** Reports progress. @returns false if the lease was revoked: the work must stop. */
  touch(): boolean;
  /** Ends the lease; further calls do nothing. */
  release(): void;
}

export interface LineLeaseRequest {
  /** Each key has at most one active lease. */
  readonly key: string;
  /** Path in a `FairQueue`. */
  readonly owner: readonly string[];
  /** Address of the client, whose share of the line is limited. */
  readonly address: string;
  /** False once no request needs the result. */
  readonly isWanted: () => boolean;
  /** Called about once a second while the request waits. */
  readonly onWait: () => void;
}

export interface LeaseLine {
  /** Waits in line for a lease. @throws the error that `refuse` makes. */
  acquire(request: LineLeaseRequest): Promise<LineLease>;
}

/** The reason for which a request gets no lease: the line is full, or the request waited for the maximum time. */
export type LeaseRefusal = 'full' | 'late';

export interface LeaseLineOptions {
  /** Maximum number of active leases. */
  readonly limit: number;
  /** Maximum number of requests in line: of all clients, and of one address. */
  readonly waiting: { readonly all: number; readonly ofAddress: number };
  /** A lease without `touch` for this long is revoked once another request waits. */
  readonly staleMs: number;
  /** Maximum time in line, in milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly refuse: (refusal: LeaseRefusal, key: string) => Error;
}

interface Waiter extends LineLeaseRequest {
  /** By the clock. */
  readonly until: number;
  readonly begin: (lease: LineLease) => void;
  isCounted: boolean;
}

const checkMs = 1_000;

/**
 * A fair line for a few leases. Stale leases are revoked: if Workers cancels a request, its work stops without running
 * `finally`, and never releases its lease. For the same reason, each request in line runs a timer that serves the line.
 */
export function createLeaseLine(options: LeaseLineOptions): LeaseLine {
  const { limit, waiting, staleMs, patienceMs, clock, refuse } = options;
  const active = new Map<LineLease, { readonly key: string; touched: number }>();
  const line = createFairQueue<Waiter>();
  const perAddress = new Map<string, number>();

  const isOver = ({ until, isWanted }: Waiter) => clock() >= until || !isWanted();
  const isStale = (lease: LineLease) => clock() - (active.get(lease)?.touched ?? 0) > staleMs;
  const holderOf = (key: string) => [...active.keys()].find((lease) => active.get(lease)?.key === key);

  /** The lease to revoke before a new lease of the key begins; `none` if there is room, undefined if it must wait. */
  function revocable(key: string): LineLease | 'none' | undefined {
    const holder = holderOf(key);
    if (holder) return isStale(holder) ? holder : undefined;
    return active.size < limit ? 'none' : [...active.keys()].find(isStale);
  }

  function admit(): void {
    for (;;) {
      const next = line.shift((waiter) => isOver(waiter) || revocable(waiter.key) !== undefined);
      if (next === undefined) return;
      uncount(next);
      // The timer of the request rejects its promise; on Workers, the request may no longer exist.
      if (isOver(next)) continue;
      const ended = revocable(next.key);
      if (ended && ended !== 'none') active.delete(ended);
      next.begin(leaseOf(next.key));
    }
  }

  function leaseOf(key: string): LineLease {
    const lease: LineLease = {
      touch() {
        const own = active.get(lease);
        if (own) own.touched = clock();
        return own !== undefined;
      },
      release() {
        if (active.delete(lease)) admit();
      },
    };
    active.set(lease, { key, touched: clock() });
    return lease;
  }

  function uncount(waiter: Waiter): void {
    if (!waiter.isCounted) return;
    waiter.isCounted = false;
    const left = (perAddress.get(waiter.address) ?? 0) - 1;
    if (left > 0) perAddress.set(waiter.address, left);
    else perAddress.delete(waiter.address);
  }

  return {
    async acquire(request) {
      const { address, key, owner } = request;
      const ofAddress = perAddress.get(address) ?? 0;
      if (line.size >= waiting.all || ofAddress >= waiting.ofAddress) throw refuse('full', key);
      const { promise, resolve, reject } = Promise.withResolvers<LineLease>();
      const waiter: Waiter = { ...request, until: clock() + patienceMs, begin: resolve, isCounted: true };
      const entry = line.push(owner, waiter);
      perAddress.set(address, ofAddress + 1);
      admit();
      const watch = setInterval(() => {
        request.onWait();
        admit();
        if (isOver(waiter)) reject(refuse('late', key));
      }, checkMs);
      try {
        return await promise;
      } finally {
        clearInterval(watch);
        entry.leave();
        uncount(waiter);
      }
    },
  };
}
