/**
 * The settings of a program as strings, as an environment has them: `REGSHIFT_TAG_TTL: 60` is a number in code and in
 * wrangler.toml, and a key set can be an object.
 */
export function asVariables(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(name, value)]));
}

function textOf(name: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const isSetting = name.startsWith('REGSHIFT_') && typeof value === 'object' && value !== null;
  return isSetting ? JSON.stringify(value) : value;
}
