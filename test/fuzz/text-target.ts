import { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../../src/errors.ts';
import type { Random } from './random.ts';

/** A reader of texts that others write, and the rule that holds for every text. */
export interface TextTarget {
  /** Good texts, and some texts that are known to be bad. */
  readonly seeds: readonly string[];
  /**
   * Reads a text.
   * @returns the way that the reader took, as text, if it has several: a text with a new way joins the corpus.
   * @throws Error when the rule does not hold.
   */
  readonly check: (text: string) => unknown;
  /** Makes a text of some seeds; `generateText` by default. */
  readonly generate?: (random: Random, seeds: readonly string[]) => string;
}

export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

/** Runs a reader, which may throw only errors for a client. @returns its value, or undefined after such an error. */
export function coded<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof RegistryError || error instanceof ConversionError) return undefined;
    throw error;
  }
}

/** Compares values by their content; the order of members counts. */
export function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(plain(left)) === JSON.stringify(plain(right));
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.entries(value).map(([name, each]) => [name, plain(each)]);
}
