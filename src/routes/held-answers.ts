import { LRUCache } from 'lru-cache';
import type { RequestLine } from '../observability/request-log.ts';

/** An answer as a whole: status 200, and of a HEAD everything but the body. */
export interface HeldAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Answers to questions that are asked again in the very same words, as a hundred clients do that pull one image: all
 * that there is to find out has been found out. Each is given only as long as the proof of the right to it holds, and
 * to the same Authorization value, which is part of the words.
 */
export interface HeldAnswers {
  /** @param question everything of a request that an answer depends on. @param line for the log. */
  hold(question: string, answer: HeldAnswer, line: RequestLine, holds: () => boolean): void;
  find(question: string): { readonly answer: HeldAnswer; readonly line: RequestLine } | undefined;
}

interface Held {
  readonly answer: HeldAnswer;
  readonly line: RequestLine;
  readonly holds: () => boolean;
}

/** Most bodies are those of the cache of converted manifests, and cost nothing more here. */
const mostBytes = 16_777_216;
const overheadBytes = 1_024;

export function createHeldAnswers(): HeldAnswers {
  const held = new LRUCache<string, Held>({
    maxSize: mostBytes,
    sizeCalculation: ({ answer }, question) => answer.body.length + question.length * 2 + overheadBytes,
  });
  return {
    hold: (question, answer, line, holds) => void held.set(question, { answer, line, holds }),
    find(question) {
      const found = held.get(question);
      if (found === undefined || found.holds()) return found;
      held.delete(question);
      return undefined;
    },
  };
}
