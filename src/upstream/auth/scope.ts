import type { RepositoryName } from '../../../converters/reference.ts';

/** Scopes of tokens (distribution, "Token Scope Documentation"). */
export const pullScope = (repository: RepositoryName): string => `repository:${repository}:pull`;
export const pushScope = (repository: RepositoryName): string => `repository:${repository}:pull,push`;
export const deleteScope = (repository: RepositoryName): string => `repository:${repository}:delete`;
export const catalogScope = 'registry:catalog:*';

/** The resource of a scope without its actions: `repository:<name>`. */
export function subjectOf(scope: string): string {
  return scope.slice(0, scope.lastIndexOf(':'));
}

/**
 * The same scope without the right to write, or undefined where nothing is left of it. Docker 1.8 requests `push,pull`
 * to pull; skopeo 1.9 requests `*` to delete.
 */
export function readingScope(scope: string): string | undefined {
  if (!/^repository[(:]/.test(scope)) return scope;
  const actions = scope.slice(scope.lastIndexOf(':') + 1).split(',');
  return actions.some((action) => action === 'pull' || action === '*')
    ? `${subjectOf(scope)}:pull`
    : undefined;
}
