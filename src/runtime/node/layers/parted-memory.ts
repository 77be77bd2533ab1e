import type { WindowBudget, WindowRequest } from '../../../layers/windows.ts';
import { createWindowBudget } from './memory-semaphore.ts';

/** Windows up to this size are small: zstd makes no larger ones without being told to (`--long`, `--ultra`). */
const smallWindow = 8 * 2 ** 20;

/**
 * Memory for windows of which a quarter is kept for small ones, in a line of their own. Readers of layers with large
 * windows, however slow and however many, thus never stop the layers that most images have. Where no large window
 * waits, small ones take the rest as well.
 * @param total in bytes, for all windows together. Where the rest is less than the largest window, nothing is kept.
 * @param largest the largest window that a stream may have.
 */
export function createPartedWindowBudget(total: number, largest: number): WindowBudget {
  const kept = total / 4;
  if (total - kept < largest) return createWindowBudget(total);
  const small = createWindowBudget(kept);
  const large = createWindowBudget(total - kept);
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
