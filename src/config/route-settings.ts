import type { Match } from '../routing/match.ts';
import type { SettingProblem } from './problem.ts';
import type { Values } from './schema.ts';
import { schema } from './schema.ts';
import type { Layer } from './sources.ts';
import { locate, merge } from './sources.ts';

/** One route: which requests it is for, and all that is set for it. */
export interface RouteSettings {
  /** Tells it from the others; the same in each process of a fleet. */
  readonly id: string;
  readonly match: Match;
  readonly settings: Values;
}

/** What layers amount to, or all that is wrong with single settings. */
export function parseLayers(
  layers: readonly [Layer, ...Layer[]],
): { readonly values: Values } | { readonly problems: readonly SettingProblem[] } {
  const parsed = schema.safeParse(merge(layers));
  if (parsed.success) return { values: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) =>
    locate({ variable: String(path[0]), value: '', message }, layers),
  );
  return { problems };
}
