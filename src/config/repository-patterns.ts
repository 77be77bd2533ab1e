/** Tells whether a repository is served. */
export type RepositoryMatcher = (name: string) => boolean;

const part = /^[a-z0-9._*-]+$/;

/**
 * Reads patterns of repository names: commas or white space between them, `*` for anything within one part of a
 * name, `**` as a part of its own for any number of parts.
 * @returns `undefined` when a pattern could match no name at all.
 */
export function repositoryMatcher(text: string): RepositoryMatcher | undefined {
  const patterns = text.split(/[\s,]+/).filter((pattern) => pattern !== '');
  const parts = patterns.map((pattern) => pattern.split('/'));
  if (parts.length === 0 || !parts.every((each) => each.every(isPart))) return undefined;
  const expressions = parts.map((each) => new RegExp(`^${each.map(expressionOf).join('/')}$`));
  return (name) => expressions.some((expression) => expression.test(name));
}

function isPart(text: string): boolean {
  return text === '**' || (part.test(text) && !text.includes('**'));
}

function expressionOf(text: string): string {
  if (text === '**') return '.+';
  return text.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*');
}
