import type { SettingProblem } from './problem.ts';
import { redactedPath } from './redacted.ts';

/**
 * Reads the text of a file; provided by a runtime that has files.
 * @param beside the path of the file that names `path`, which may be relative to it.
 * @throws UnreadableFileError.
 */
export type ReadFile = (path: string, beside?: string) => string;

/** Settings that may be in a file, because they are secret or long: `<variable>_FILE` is the path of the file. */
export const fileVariables = [
  'REGSHIFT_UPSTREAM_USERNAME',
  'REGSHIFT_UPSTREAM_PASSWORD',
  'REGSHIFT_UPSTREAM_PROXY',
  'REGSHIFT_DOCKER_CONFIG',
  'REGSHIFT_GOOGLE_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_CLIENT_SECRET',
  'REGSHIFT_HTPASSWD',
  'REGSHIFT_JWKS',
  'REGSHIFT_SIGNING_KEY',
  'REGSHIFT_REDIS_URL',
  'REGSHIFT_EVENTS_SECRET',
] as const;

const isPem = (value: string) => value.includes('-----BEGIN');

/** Settings whose value may also be a path, each with a test that is true for text and false for a path. */
const isText: Readonly<Record<string, (value: string) => boolean>> = {
  REGSHIFT_CONFIG: (value) => value.trimStart().startsWith('{'),
  REGSHIFT_DOCKER_CONFIG: (value) => value.trimStart().startsWith('{'),
  REGSHIFT_GOOGLE_KEY: (value) => value.trimStart().startsWith('{'),
  // Text is `user:hash`. A slash follows the colon of a Windows path.
  REGSHIFT_HTPASSWD: (value) => value.includes('\n') || /^[^/:]+:[^\\/]/.test(value),
  REGSHIFT_REDIS_URL: (value) => value.includes('://'),
  REGSHIFT_UPSTREAM_CA: isPem,
  REGSHIFT_UPSTREAM_CERT: isPem,
  REGSHIFT_UPSTREAM_KEY: isPem,
};

/**
 * Replaces paths by the text of their files.
 * @param readFile undefined on a runtime without files.
 * @returns the settings as text, and a problem for each setting whose file cannot be read.
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
      // An editor adds a line break at the end of a file; a password has none.
      if (typeof text === 'string') texts[named ?? variable] = named ? text.replace(/\r?\n$/, '') : text;
      else problems.push({ variable, value: redactedPath(variable, value), message: text.problem });
    }
  }
  return { texts, problems };
}

/**
 * A file of the settings that cannot be read.
 *
 * The system's message quotes the path, which may be a secret in the wrong place. This error has the path only where it
 * is one for certain.
 */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  /** The end of a sentence about the setting: ` (ENOENT)`, or `: /etc/key.pem does not exist (ENOENT)`. */
  readonly ending: string;

  /** @param path absolute; undefined for a text that may be a secret. @param code like `ENOENT`. */
  constructor(path: string | undefined, code: string) {
    const ending = path === undefined ? '' : `: ${path} ${reasons[code] ?? 'cannot be read'}`;
    super(`a file of the settings cannot be read${ending} (${code})`);
    this.ending = `${ending} (${code})`;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by the user of this process',
  EISDIR: 'is a folder',
};

/** Reads one file. */
function textOf(
  path: string,
  readFile: ((path: string) => string) | undefined,
  pathOnly: boolean,
): string | { readonly problem: string } {
  if (readFile === undefined) {
    return { problem: `must be ${pathOnly ? 'left out' : 'the text itself'}: there are no files here` };
  }
  try {
    const text = readFile(path);
    return text.trim() === '' ? { problem: 'must not be the path of an empty file' } : text;
  } catch (error) {
    const why = error instanceof UnreadableFileError ? error.ending : '';
    const what = pathOnly ? 'a path' : 'the text itself, or a path';
    return { problem: `must be ${what} to a file that can be read${why}` };
  }
}
