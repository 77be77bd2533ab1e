export interface SettingProblem {
  /** Or the path of a key in a file, like `routes[2].upstream`. */
  readonly variable: string;
  /** What was set; left out for secrets. */
  readonly value: string;
  /** What would be right. */
  readonly message: string;
}

/** One line a problem, for a person. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  return problems.map(({ variable, value, message }) => `${variable} is ${value}: it ${message}`).join('\n');
}

/** Variables as they were set, empty ones left out, files read. */
export type RawSettings = Readonly<Record<string, string | undefined>>;
