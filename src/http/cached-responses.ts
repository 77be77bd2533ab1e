import { LRUCache } from 'lru-cache';
import type { HeldAnswer, HeldRight } from '../registry/manifests/freshness.ts';
import type { RequestLine } from './access-log.ts';

export interface Held {
  readonly answer: HeldAnswer;
  /** For the log. */
  readonly line: RequestLine;
  right: HeldRight;
}

/**
 * Answers to questions that are asked again in the very same words, as a hundred clients do that pull one image: all
 * that there is to find out has been found out, but whether this client may still have it.
 */
export interface HeldAnswers {
  /** @param question everything of a request that an answer depends on. */
  hold(question: string, held: Held): void;
  find(question: string): Held | undefined;
}

/** What an answer costs beside its body and its question: headers, the right to it, a line for the log. */
const overheadBytes = 1_024;

/** @param mostBytes bodies included, though most are those of the cache of converted manifests while it has them. */
export function createHeldAnswers(mostBytes: number): HeldAnswers {
  if (mostBytes < overheadBytes) return { hold: () => undefined, find: () => undefined };
  const held = new LRUCache<string, Held>({
    maxSize: mostBytes,
    sizeCalculation: ({ answer }, question) => answer.body.length + question.length * 2 + overheadBytes,
  });
  return {
    hold: (question, each) => void held.set(question, each),
    find: (question) => held.get(question),
  };
}
