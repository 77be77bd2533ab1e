import { notSet, type SettingProblem } from './problem.ts';

/** Requires the certificate that regshift shows to a registry and its key together. */
export function certificateProblems(set: Readonly<Record<string, string>>): SettingProblem[] {
  const pair = ['REGSHIFT_UPSTREAM_CERT', 'REGSHIFT_UPSTREAM_KEY'] as const;
  const [missing, ...others] = pair.filter((variable) => set[variable] === undefined);
  if (missing === undefined || others.length > 0) return [];
  const present = pair.find((variable) => variable !== missing);
  return [
    {
      variable: missing,
      value: notSet,
      message: `must be set, because ${present} is set: they belong together`,
    },
  ];
}
