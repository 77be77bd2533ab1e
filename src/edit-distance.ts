/**
 * The known word that is closest to a misspelt one: at most two edits away, and at most half as many as it has
 * letters.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const far = Math.min(2, Math.floor(word.length / 2));
  const ranked = known
    // A distance takes time for each pair of letters, and is at least the difference of the lengths.
    .filter((each) => Math.abs(each.length - word.length) <= far)
    .map((each) => ({ each, distance: editDistance(word.toLowerCase(), each.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  return ranked.find((each) => each.distance <= far)?.each;
}

/** The number of letters to add, remove or change to get from one word to another (Levenshtein distance). */
export function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= other.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (letter === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
