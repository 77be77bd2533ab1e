/**
 * Joins words to a cache key, with a space between them. V8 stores the result of `+` and of templates as a tree of
 * pieces, which costs three times the memory of the flat text that `join` makes.
 */
export function joinKey(...words: readonly string[]): string {
  return words.join(' ');
}
