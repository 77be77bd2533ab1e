import { notSet, type RawSettings, type SettingProblem } from './problem.ts';

/** The reasons to set a certificate and its key together, by the beginning of the names of both settings. */
const reasons = {
  REGSHIFT_UPSTREAM: 'they belong together',
  REGSHIFT_TLS: 'TLS needs a certificate and its key, each as PEM or as a path to it',
};

/** Requires a certificate and its key together. */
export function certificateProblems(raw: RawSettings, of: keyof typeof reasons): SettingProblem[] {
  const pair = [`${of}_CERT`, `${of}_KEY`];
  const [variable, ...others] = pair.filter((each) => raw[each] === undefined);
  if (variable === undefined || others.length > 0) return [];
  const present = pair.find((each) => each !== variable);
  return [{ variable, value: notSet, message: `must be set, because ${present} is set: ${reasons[of]}` }];
}
