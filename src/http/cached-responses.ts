import { LRUCache } from 'lru-cache';
import type { Freshness, WholeResponse } from '../registry/manifests/freshness.ts';
import type { RequestLine } from './access-log.ts';

export interface ResponseEntry {
  readonly response: WholeResponse;
  /** For the log. */
  readonly line: RequestLine;
  freshness: Freshness;
}

/**
 * Answers to questions that are asked again in the very same words, as a hundred clients do that pull one image: all
 * that there is to find out has been found out, but whether this client may still have it.
 */
export interface ResponseStore {
  /** @param question everything of a request that an answer depends on. */
  put(question: string, held: ResponseEntry): void;
  get(question: string): ResponseEntry | undefined;
}

/** What an answer costs beside its body and its question: headers, the right to it, a line for the log. */
const overheadBytes = 1_024;

/** @param mostBytes bodies included, though most are those of the cache of converted manifests while it has them. */
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
