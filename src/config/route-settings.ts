import type { Match } from '../routing/match.ts';
import type { SettingProblem } from './problem.ts';
import type { Values } from './schema.ts';
import { schema } from './schema.ts';
import type { SettingSource } from './sources.ts';
import { locate, mergeSources } from './sources.ts';

/** One route: the requests that it serves, and all its settings. */
export interface RouteSettings {
  /** Unique among the routes, and equal in all processes of a fleet. */
  readonly id: string;
  readonly match: Match;
  readonly settings: Values;
}

/**
 * Parses the settings that several sources have together.
 * @param sources the first one takes precedence.
 * @returns the values, or every problem of a single setting.
 */
export function parseSources(
  sources: readonly [SettingSource, ...SettingSource[]],
): { readonly values: Values } | { readonly problems: readonly SettingProblem[] } {
  const parsed = schema.safeParse(mergeSources(sources));
  if (parsed.success) return { values: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) =>
    locate({ variable: String(path[0]), value: '', message }, sources),
  );
  return { problems };
}
