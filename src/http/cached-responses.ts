import type { MemoryBudget } from '../cache/memory-budget.ts';
import { bytesOfValue } from '../cache/memory-bytes.ts';
import type { Freshness, WholeResponse } from '../registry/manifests/freshness.ts';
import type { RequestLine } from './access-log.ts';

export interface ResponseEntry {
  readonly response: WholeResponse;
  /** The line for the access log. */
  readonly line: RequestLine;
  freshness: Freshness;
}

/**
 * Whole responses by response-cache key. A hundred clients that pull one image send the same request; only the right
 * to the response is left to check.
 */
export interface ResponseStore {
  /** @param cacheKey everything in a request that its response depends on. */
  put(cacheKey: string, held: ResponseEntry): void;
  get(cacheKey: string): ResponseEntry | undefined;
}

/**
 * Bytes of the log line and of the freshness of one entry, which are closures, and of the lines that Node writes. They
 * were measured as the growth of the heap with entries of 500 bytes.
 */
const overheadBytes = 3_072;

/** Bodies count, although the table of content has most of the same bytes. */
export function createResponseStore(memory: MemoryBudget): ResponseStore {
  const held = memory.table<ResponseEntry>(
    'responses',
    ({ response }) => bytesOfValue(response) + overheadBytes,
  );
  return { put: held.set, get: held.get };
}
