import type { SettingProblem } from './problem.ts';

/**
 * Given by a runtime that has files.
 * @param beside the file in which the path stands: it may be relative to that.
 * @throws any error for a file that cannot be read.
 */
export type ReadFile = (path: string, beside?: string) => string;

/** What is secret, or too long for a variable, may be in a file: `<variable>_FILE` is the path to it. */
export const fileVariables = [
  'REGSHIFT_UPSTREAM_USERNAME',
  'REGSHIFT_UPSTREAM_PASSWORD',
  'REGSHIFT_DOCKER_CONFIG',
  'REGSHIFT_HTPASSWD',
  'REGSHIFT_JWKS',
  'REGSHIFT_SIGNING_KEY',
  'REGSHIFT_REDIS_URL',
] as const;

/** Which settings may name a file instead of holding its text, and how the text is told from a path. */
const isText: Readonly<Record<string, (value: string) => boolean>> = {
  REGSHIFT_CONFIG: (value) => value.trimStart().startsWith('{'),
  REGSHIFT_DOCKER_CONFIG: (value) => value.trimStart().startsWith('{'),
  // `user:hash`; after the colon of a Windows path comes a slash.
  REGSHIFT_HTPASSWD: (value) => value.includes('\n') || /^[^/:]+:[^\\/]/.test(value),
  REGSHIFT_REDIS_URL: (value) => value.includes('://'),
};

/**
 * Puts the text of files in the place of their paths.
 * @returns the settings without those whose file cannot be read, and the problems with these.
 */
export function withFiles(
  set: Readonly<Record<string, string>>,
  readFile: ((path: string) => string) | undefined,
): { readonly texts: Record<string, string>; readonly problems: readonly SettingProblem[] } {
  const texts: Record<string, string> = {};
  const problems: SettingProblem[] = [];
  for (const [variable, value] of Object.entries(set)) {
    const named = fileVariables.find((each) => `${each}_FILE` === variable);
    if (named === undefined && (isText[variable]?.(value) ?? true)) {
      texts[variable] = value;
    } else if (named !== undefined && set[named] !== undefined) {
      problems.push({ variable, value: 'set', message: `must not be, because ${named} is: keep one` });
    } else {
      const text = textOf(value, readFile, named !== undefined);
      // An editor ends a file with a line end, and a password has none.
      if (typeof text === 'string') texts[named ?? variable] = named ? text.replace(/\r?\n$/, '') : text;
      else problems.push({ variable, value: '(not shown)', message: text.problem });
    }
  }
  return { texts, problems };
}

/** The value is not told, nor the system's message with it: it may be a secret in the place of a path. */
function textOf(
  path: string,
  readFile: ((path: string) => string) | undefined,
  pathOnly: boolean,
): string | { readonly problem: string } {
  if (readFile === undefined) {
    return { problem: `must be ${pathOnly ? 'left out' : 'the text itself'}: there are no files here` };
  }
  try {
    return readFile(path);
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code;
    const why = typeof code === 'string' && /^E[A-Z]{2,20}$/.test(code) ? ` (${code})` : '';
    const what = pathOnly ? 'a path' : 'the text itself, or a path';
    return { problem: `must be ${what} to a file that can be read${why}` };
  }
}
