import { createFairQueue } from '../../../concurrency/fair-queue.ts';
import type { WindowBudget, WindowHolder, WindowRequest } from '../../../layers/windows.ts';
import { createShares, type Shares } from './window-shares.ts';

interface Lease {
  readonly bytes: number;
  readonly owner: readonly string[];
  readonly holder: WindowHolder | undefined;
  /** True if the stream was asked for its window and has not returned it yet. */
  isAsked: boolean;
}

interface Waiting extends WindowRequest {
  readonly begin: (giveBack: () => void) => void;
}

/** Interval of the search for slow streams while others wait, in milliseconds. */
const watchMs = 1_000;

/**
 * A memory budget for zstd windows that is fair between owners. Owners within their share are served first, in turn
 * (`Shares`). Free memory is kept for the window whose turn it is, so that a large window does not starve behind
 * small ones. While a window waits, slow streams return theirs, so that a small window does not wait forever behind a
 * large one.
 * @param total in bytes; a single window may take all of it.
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

  /** Asks streams for the memory that `next` lacks, the newest stream first: it has the least to decompress again. */
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
    // Less memory than needed does not help.
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

/** Windows up to this size are small: zstd makes larger ones only with `--long` or `--ultra`. */
const smallWindow = 8 * 2 ** 20;

/**
 * A memory budget that keeps a quarter for small windows, with its own queue. Slow readers of layers with large
 * windows then never block the layers that most images have. While no large window waits, small ones use the rest as
 * well.
 * @param total in bytes, for all windows together. If the rest is less than the largest window, nothing is kept.
 * @param largest the largest window that a stream may have.
 */
export function createPartedWindowBudget(total: number, largest: number): WindowBudget {
  const reserved = total / 4;
  if (total - reserved < largest) return createWindowBudget(total);
  const small = createWindowBudget(reserved);
  const large = createWindowBudget(total - reserved);
  const takeAtOnce = (request: WindowRequest) => small.tryTake(request) ?? large.tryTake(request);
  return {
    tryTake: (request) => (request.bytes > smallWindow ? large.tryTake(request) : takeAtOnce(request)),
    async take(request, signal) {
      if (request.bytes > smallWindow) return large.take(request, signal);
      signal.throwIfAborted();
      return takeAtOnce(request) ?? small.take(request, signal);
    },
  };
}
