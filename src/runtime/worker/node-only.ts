import type { SettingProblem, Settings } from '../../config/settings.ts';

/** Settings that are right and mean nothing to a Worker: better told than left without effect. */
export function nodeOnlyProblems(settings: Settings): SettingProblem[] {
  if (settings.REGSHIFT_REDIS_URL === undefined) return [];
  const message =
    'must be left out on Workers, which share what they know by Workers KV: bind a namespace as RECIPES ' +
    '(deploy/cloudflare.md)';
  return [{ variable: 'REGSHIFT_REDIS_URL', value: '(not shown)', message }];
}
