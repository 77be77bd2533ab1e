/** A setting that is wrong, in words for the operator. */
export interface SettingProblem {
  /** The name of a variable, or the path of a key in a file, like `routes[2].upstream`. */
  readonly variable: string;
  /** The path of the file that has the key, or REGSHIFT_CONFIG if that is the text itself; absent for a variable. */
  readonly file?: string;
  /** The value as a message may show it: that of a secret setting is `notShown`. */
  readonly value: string;
  /** The rest of a sentence whose subject is the setting: `must be …`. */
  readonly message: string;
}

/** The value of a secret setting, and of a problem that is none of the value: the message stands alone. */
export const notShown = '(not shown)';

/** The value of a setting that is missing. */
export const notSet = 'not set';

/** A value that may have a secret in it, although the setting has none; the middle of a sentence. */
export const withheld = 'not shown, because it may hold a secret';

/** Formats problems for a person, one line each. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  return problems.map(formatProblem).join('\n');
}

function formatProblem({ variable, file, value, message }: SettingProblem): string {
  const subject = file === undefined ? variable : `${variable} in ${file}`;
  return value === notShown ? `${subject} ${message}` : `${subject} is ${value}: it ${message}`;
}

/** Settings as text, by variable. Empty ones are left out, and files are read. */
export type RawSettings = Readonly<Record<string, string | undefined>>;
