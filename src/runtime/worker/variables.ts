/**
 * The settings among a Worker's bindings, as the strings that they are elsewhere: in wrangler.toml `REGSHIFT_TAG_TTL =
 * 60` is a number, and a key set can be written as a table.
 */
export function variablesOf(bindings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, textOf(name, value)]));
}

function textOf(name: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const isSetting = name.startsWith('REGSHIFT_') && typeof value === 'object' && value !== null;
  return isSetting ? JSON.stringify(value) : value;
}
