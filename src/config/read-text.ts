import * as z from 'zod/mini';

/**
 * The schema of a setting whose value is read from its text. A text is read once when it comes again: many routes may
 * inherit a long one.
 * @param read adds a problem by `refuse`. A setting with a problem has no value, so the result of `refuse` fits any type.
 */
export function readText<Value>(read: (text: string, refuse: (message: string) => typeof z.NEVER) => Value) {
  let last: { readonly text: string; readonly value: Value } | undefined;
  return z.pipe(
    z.string(),
    z.transform((text: string, { issues }) => {
      if (last?.text === text) return last.value;
      const value = read(text, (message) => {
        issues.push({ code: 'custom', message, input: text });
        return z.NEVER;
      });
      if (issues.length === 0) last = { text, value };
      return value;
    }),
  );
}

/** A text of any form. A variable is never empty, but a key of the file may be. */
export const filled = z.string().check(z.minLength(1, 'must not be empty: leave it out, or give it a value'));
