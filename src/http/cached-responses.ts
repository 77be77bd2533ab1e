import { LRUCache } from 'lru-cache';
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
  put(question: string, held: ResponseEntry): void;
  get(question: string): ResponseEntry | undefined;
}

/** Bytes that one entry costs beside its body and its key: headers, freshness, log line. */
const overheadBytes = 1_024;

/** @param mostBytes includes bodies, although the cache of converted manifests holds most of the same bytes. */
export function createResponseStore(mostBytes: number): ResponseStore {
  if (mostBytes < overheadBytes) return { put: () => undefined, get: () => undefined };
  const held = new LRUCache<string, ResponseEntry>({
    maxSize: mostBytes,
    sizeCalculation: ({ response }, question) => response.body.length + question.length * 2 + overheadBytes,
  });
  return {
    put: (question, each) => void held.set(question, each),
    get: (question) => held.get(question),
  };
}
