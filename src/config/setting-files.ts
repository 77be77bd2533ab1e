import type { SettingProblem } from './settings.ts';

/** Given by a runtime that has files. @throws any error for a file that cannot be read. */
export type ReadFile = (path: string) => string;

/** Which settings may name a file instead of holding its text, and how the text is told from a path. */
const isText: Readonly<Record<string, (value: string) => boolean>> = {
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
  readFile: ReadFile | undefined,
): { readonly texts: Record<string, string>; readonly problems: readonly SettingProblem[] } {
  const texts: Record<string, string> = {};
  const problems: SettingProblem[] = [];
  for (const [variable, value] of Object.entries(set)) {
    if (isText[variable]?.(value) ?? true) texts[variable] = value;
    else {
      const text = textOf(value, readFile);
      if (typeof text === 'string') texts[variable] = text;
      else problems.push({ variable, value: '(not shown)', message: text.problem });
    }
  }
  return { texts, problems };
}

/** The value is not told, nor the system's message with it: it may be a secret in the place of a path. */
function textOf(path: string, readFile: ReadFile | undefined): string | { readonly problem: string } {
  if (readFile === undefined) return { problem: 'must be the text itself: there are no files here' };
  try {
    return readFile(path);
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code;
    const why = typeof code === 'string' && /^E[A-Z]{2,20}$/.test(code) ? ` (${code})` : '';
    return { problem: `must be the text itself, or a path to a file that can be read${why}` };
  }
}
