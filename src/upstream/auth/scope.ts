import type { RepositoryName } from '../../../converters/reference.ts';

/** What a token is asked for (distribution, "Token Scope Documentation"). */
export const pullScope = (repository: RepositoryName): string => `repository:${repository}:pull`;
export const pushScope = (repository: RepositoryName): string => `repository:${repository}:pull,push`;
export const deleteScope = (repository: RepositoryName): string => `repository:${repository}:delete`;
export const catalogScope = 'registry:catalog:*';

/** `repository:<name>`: what a scope is about, without what may be done with it. */
export function subjectOf(scope: string): string {
  return scope.slice(0, scope.lastIndexOf(':'));
}

/**
 * The same scope with no right to write in it, or undefined where nothing is left. Docker 1.8 asks for `push,pull`
 * when it pulls; `*` is what skopeo 1.9 asks for to delete.
 */
export function readingScope(scope: string): string | undefined {
  if (!/^repository[(:]/.test(scope)) return scope;
  const actions = scope.slice(scope.lastIndexOf(':') + 1).split(',');
  return actions.some((action) => action === 'pull' || action === '*')
    ? `${subjectOf(scope)}:pull`
    : undefined;
}
