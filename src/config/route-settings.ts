import type { Match } from '../routing/match.ts';
import type { SettingProblem } from './problem.ts';
import type { Values } from './schema.ts';
import { schema } from './schema.ts';
import type { SettingSource } from './sources.ts';
import { locate, mergeSources } from './sources.ts';

/** One route: which requests it is for, and all that is set for it. */
export interface RouteSettings {
  /** Tells it from the others; the same in each process of a fleet. */
  readonly id: string;
  readonly match: Match;
  readonly settings: Values;
}

/** What layers amount to, or all that is wrong with single settings. */
export function parseLayers(
  layers: readonly [SettingSource, ...SettingSource[]],
): { readonly values: Values } | { readonly problems: readonly SettingProblem[] } {
  const parsed = schema.safeParse(mergeSources(layers));
  if (parsed.success) return { values: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) =>
    locate({ variable: String(path[0]), value: '', message }, layers),
  );
  return { problems };
}
