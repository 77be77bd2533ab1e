import { LRUCache } from 'lru-cache';
import type { RequestLine } from '../observability/request-log.ts';
import type { Begun } from './begun.ts';

/** An answer as a whole: status 200, and of a HEAD everything but the body. */
export interface HeldAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The right to give an answer again to whoever asks in the same words, the Authorization value among them. */
export interface HeldRight {
  /** Whether upstream need not be asked, for it has been a moment ago. */
  readonly holds: () => boolean;
  /**
   * Asks upstream for the right anew, and for nothing else.
   * @returns undefined where the answer may be another one by now. @throws Failure as upstream's refusal makes it.
   */
  readonly renew: (begun: Begun) => Promise<HeldRight | undefined>;
}

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
