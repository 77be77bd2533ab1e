import { editDistance } from '../edit-distance.ts';
import { type Variable, variables } from './schema.ts';

/** The name of a setting in a file: `REGSHIFT_TAG_TTL` is `tagTtl`. */
export function keyOf(variable: string): string {
  const [first = '', ...others] = variable
    .replace(/^REGSHIFT_/, '')
    .toLowerCase()
    .split('_');
  return [first, ...others.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)].join('');
}

const byKey: ReadonlyMap<string, Variable> = new Map(
  variables.map((variable) => [keyOf(variable), variable]),
);

export function variableOf(key: string): Variable | undefined {
  return byKey.get(key);
}

/** Replaces the names of variables in a message by their names in a file. */
export function withFileKeys(message: string): string {
  return message.replace(/\b[A-Z]+_[A-Z0-9_]+\b/g, (name) =>
    name.startsWith('REGSHIFT_') || byKey.has(keyOf(name)) ? keyOf(name) : name,
  );
}

/**
 * The known word that is closest to a misspelt one: at most two edits away, and at most half as many as it has
 * letters.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const far = Math.min(2, Math.floor(word.length / 2));
  const ranked = known
    .map((each) => ({ each, distance: editDistance(word.toLowerCase(), each.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  return ranked.find((each) => each.distance <= far)?.each;
}
