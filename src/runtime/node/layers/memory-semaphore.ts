import { createFairQueue } from '../../../concurrency/fair-queue.ts';
import type { WindowBudget, WindowHolder, WindowRequest } from '../../../layers/windows.ts';
import { createShares, type Shares } from './window-shares.ts';

interface Lease {
  readonly bytes: number;
  readonly owner: readonly string[];
  readonly holder: WindowHolder | undefined;
  /** Whether the stream was asked for its window and has not given it back yet. */
  isAsked: boolean;
}

interface Waiting extends WindowRequest {
  readonly begin: (giveBack: () => void) => void;
}

/** How often the budget looks for slow streams while others wait. */
const watchMs = 1_000;

/**
 * Owners are served in turn, those within their share first (`Shares`). Memory that comes free is kept for the window
 * whose turn it is: a large window does not starve behind small ones. While a window waits, streams that are slow give
 * theirs back: a small window does not wait for ever behind a large one.
 * @param total of which a single window may be the whole.
 */
export function createWindowBudget(total: number): WindowBudget {
  const line = createFairQueue<Waiting>();
  const leases = new Set<Lease>();
  const shares = createShares(total);
  let watch: NodeJS.Timeout | undefined;

  function lend({ bytes, owner, holder, begin }: Waiting): void {
    const lease: Lease = { bytes, owner, holder, isAsked: false };
    leases.add(lease);
    shares.add(owner, bytes);
    begin(() => {
      if (!leases.delete(lease)) return;
      shares.add(owner, -bytes);
      serve();
    });
  }

  function serve(): void {
    let next = nextOf(line, shares);
    for (; next && next.bytes <= total - shares.lent(); next = nextOf(line, shares)) {
      const served = next;
      line.shift((item) => item === served);
      lend(served);
    }
    if (next) reclaim(next, total - shares.lent());
    if (next && watch === undefined) watch = setInterval(serve, watchMs);
    if (next || watch === undefined) return;
    clearInterval(watch);
    watch = undefined;
  }

  /** Asks streams for what `next` misses, the newest first: they have the least to decompress again. */
  function reclaim(next: Waiting, free: number): void {
    const level = shares.levelOf(next.owner, next.bytes);
    const newest = [...leases].toReversed();
    const asked = newest.filter(({ isAsked }) => isAsked);
    const known = asked.length;
    const ask = (isWanted: (lease: Lease) => boolean | undefined) => {
      for (const lease of newest) {
        const missing = asked.reduce((sum, { bytes }) => sum - bytes, next.bytes - free);
        if (missing > 0 && !asked.includes(lease) && isWanted(lease)) asked.push(lease);
      }
    };
    ask(({ holder }) => holder?.isSlow());
    ask((lease) => shares.isExcess(lease, level, asked) && lease.holder?.isPastMinimum());
    // Too little is of no use yet.
    if (asked.reduce((sum, { bytes }) => sum + bytes, free) < next.bytes) return;
    for (const lease of asked.slice(known)) {
      lease.isAsked = true;
      lease.holder?.giveBack();
    }
  }

  return {
    tryTake(request) {
      const bytes = Math.min(request.bytes, total);
      if (line.size > 0 || bytes > total - shares.lent()) return undefined;
      let giveBack: (() => void) | undefined;
      lend({
        ...request,
        bytes,
        begin: (give) => {
          giveBack = give;
        },
      });
      return giveBack;
    },
    async take(request, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const place = { ...request, bytes: Math.min(request.bytes, total), begin: resolve };
      const entry = line.push(request.owner, place);
      const leave = () => {
        if (!entry.leave()) return;
        reject(signal.reason);
        serve();
      };
      signal.addEventListener('abort', leave, { once: true });
      serve();
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}

function nextOf(line: ReturnType<typeof createFairQueue<Waiting>>, shares: Shares): Waiting | undefined {
  for (const level of shares.levels) {
    let found: Waiting | undefined;
    const isNext = (item: Waiting, owner: readonly string[]) => {
      if (shares.levelOf(owner, item.bytes) > level) return false;
      found = item;
      return true;
    };
    if (line.some(isNext)) return found;
  }
  return undefined;
}
