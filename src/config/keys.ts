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
