import { createFairQueue } from './fair-queue.ts';

/** The right to be one of the few pieces of work that go on at once. */
export interface LineLease {
  /** Tells that the work goes on. @returns false where the lease was taken away: the work must stop. */
  touch(): boolean;
  /** May be called more than once. */
  release(): void;
}

export interface LineLeaseRequest {
  /** Of each place, one lease is out at a time. */
  readonly place: string;
  /** The path of the owner in a `FairQueue`. */
  readonly owner: readonly string[];
  /** The client's address: it may have only a part of the line waiting. */
  readonly address: string;
  /** False once the result is of no use any more. */
  readonly isWanted: () => boolean;
  /** Called now and then while the request waits. */
  readonly onWait: () => void;
}

export interface LeaseLine {
  /** Waits in line. @throws what `refuse` makes. */
  take(request: LineLeaseRequest): Promise<LineLease>;
}

/** Why a request gets no lease: the line is full, or the request waited for as long as it may. */
export type LeaseRefusal = 'full' | 'late';

export interface LeaseLineOptions {
  /** Maximum number of leases that are out at once. */
  readonly limit: number;
  /** Maximum number of requests in line, and of those of one address. */
  readonly waiting: { readonly all: number; readonly ofAddress: number };
  /** A lease that was not touched for so long is taken away once another request waits. */
  readonly staleMs: number;
  /** Maximum time in line. */
  readonly patienceMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly refuse: (refusal: LeaseRefusal, place: string) => Error;
}

interface Waiter extends LineLeaseRequest {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly begin: (lease: LineLease) => void;
  isCounted: boolean;
}

const lookMs = 1_000;

/**
 * A fair line for a few leases. A lease is not only released but also taken away: on Workers, the work of a request
 * that is cut off stops where it is, without a `finally`. For the same reason each request in line looks after the
 * line itself.
 */
export function createLeaseLine(options: LeaseLineOptions): LeaseLine {
  const { limit, waiting, staleMs, patienceMs, clock, refuse } = options;
  const out = new Map<LineLease, { readonly place: string; touched: number }>();
  const line = createFairQueue<Waiter>();
  const perAddress = new Map<string, number>();

  const isOver = ({ until, isWanted }: Waiter) => clock() >= until || !isWanted();
  const isStale = (lease: LineLease) => clock() - (out.get(lease)?.touched ?? 0) > staleMs;
  const holderOf = (place: string) => [...out.keys()].find((lease) => out.get(lease)?.place === place);

  /** The lease that must end before one begins at the place: "none", or undefined where none of them may. */
  function replaced(place: string): LineLease | 'none' | undefined {
    const holder = holderOf(place);
    if (holder) return isStale(holder) ? holder : undefined;
    return out.size < limit ? 'none' : [...out.keys()].find(isStale);
  }

  function admit(): void {
    for (;;) {
      const next = line.shift((waiter) => isOver(waiter) || replaced(waiter.place) !== undefined);
      if (next === undefined) return;
      uncount(next);
      // The request whose time is over finds out for itself; on Workers it may be gone without a word.
      if (isOver(next)) continue;
      const ended = replaced(next.place);
      if (ended && ended !== 'none') out.delete(ended);
      next.begin(leaseOf(next.place));
    }
  }

  function leaseOf(place: string): LineLease {
    const lease: LineLease = {
      touch() {
        const own = out.get(lease);
        if (own) own.touched = clock();
        return own !== undefined;
      },
      release() {
        if (out.delete(lease)) admit();
      },
    };
    out.set(lease, { place, touched: clock() });
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
    async take(request) {
      const { address, place, owner } = request;
      const ofAddress = perAddress.get(address) ?? 0;
      if (line.size >= waiting.all || ofAddress >= waiting.ofAddress) throw refuse('full', place);
      const { promise, resolve, reject } = Promise.withResolvers<LineLease>();
      const waiter: Waiter = { ...request, until: clock() + patienceMs, begin: resolve, isCounted: true };
      const entry = line.push(owner, waiter);
      perAddress.set(address, ofAddress + 1);
      admit();
      const watch = setInterval(() => {
        request.onWait();
        admit();
        if (isOver(waiter)) reject(refuse('late', place));
      }, lookMs);
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
