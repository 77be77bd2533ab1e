import type { SettingProblem } from './problem.ts';
import { redactedPath } from './redacted.ts';
import { redisForm } from './redis-address.ts';

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

/** A setting whose value is a text, or the path of a file with it. */
interface TextOrPath {
  /** True for the text, false for a path. */
  readonly isText: (value: string) => boolean;
  /** The message for a value that is neither. */
  readonly neither: string;
}

const json = (form: string): TextOrPath => ({
  isText: (value) => value.trimStart().startsWith('{'),
  neither: `begins with no { and is no file. It ${form}`,
});

const pem = (form: string): TextOrPath => ({
  isText: (value) => value.includes('-----BEGIN'),
  neither: `has no -----BEGIN line and is no file. It ${form}`,
});

const textsOrPaths: Readonly<Record<string, TextOrPath>> = {
  REGSHIFT_CONFIG: json('must be a path like /etc/regshift.yaml, or the settings as JSON'),
  REGSHIFT_DOCKER_CONFIG: json('must be JSON like ~/.docker/config.json, or a path to it'),
  REGSHIFT_GOOGLE_KEY: json('must be the JSON key of a service account as Google made it, or a path to it'),
  REGSHIFT_HTPASSWD: {
    // Text is `user:hash`. A slash follows the colon of a Windows path.
    isText: (value) => value.includes('\n') || /^[^/:]+:[^\\/]/.test(value),
    neither:
      'has no user:hash and is no file. It must be lines of user:hash as htpasswd -B writes them, or a path to a file ' +
      'of them',
  },
  REGSHIFT_REDIS_URL: {
    isText: (value) => value.includes('://'),
    neither: `begins with no known scheme and is no file. It ${redisForm}, or a path to a file with such an address`,
  },
  REGSHIFT_UPSTREAM_CA: pem('must be one or more certificates in PEM, or a path to them'),
  REGSHIFT_UPSTREAM_CERT: pem('must be one or more certificates in PEM, or a path to them'),
  REGSHIFT_UPSTREAM_KEY: pem('must be a private key in PEM, or a path to it'),
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
    if (named === undefined && (textsOrPaths[variable]?.isText(value) ?? true)) {
      texts[variable] = value;
    } else if (named !== undefined && set[named] !== undefined) {
      problems.push({
        variable,
        value: 'set',
        message: `must not be set, because ${named} is set: keep one`,
      });
    } else {
      const text = textOf(value, readFile, textsOrPaths[variable]?.neither);
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

  /** True if there is no such file, and the text may be anything else, like a secret in the wrong place. */
  readonly isNoPath: boolean;

  /** The end of a sentence about the setting: ` (ENOENT)`, or `: /etc/key.pem does not exist (ENOENT)`. */
  readonly ending: string;

  /** @param path absolute; undefined for a text that may be a secret. @param code like `ENOENT`. */
  constructor(path: string | undefined, code: string) {
    const ending = path === undefined ? '' : `: ${path} ${reasons[code] ?? 'cannot be read'}`;
    super(`a file of the settings cannot be read${ending} (${code})`);
    this.isNoPath = path === undefined && ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(code);
    this.ending = `${ending} (${code})`;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by the user of this process',
  EISDIR: 'is a folder',
};

/** The beginning of a text that a person means as a path. */
const meansPath = /^(?:~|\.{0,2})\//;

/** Reads one file. @param neither the message for a value that is neither the text nor a path; undefined: it is a path. */
function textOf(
  path: string,
  readFile: ((path: string) => string) | undefined,
  neither: string | undefined,
): string | { readonly problem: string } {
  if (readFile === undefined) {
    return {
      problem: `must be ${neither === undefined ? 'left out' : 'the text itself'}: there are no files here`,
    };
  }
  try {
    const text = readFile(path);
    return text.trim() === '' ? { problem: 'must not be the path of an empty file' } : text;
  } catch (error) {
    const unreadable = error instanceof UnreadableFileError ? error : undefined;
    if (neither !== undefined && unreadable?.isNoPath && !meansPath.test(path)) return { problem: neither };
    const why = unreadable?.ending ?? '';
    const what = neither === undefined ? 'a path' : 'the text itself, or a path';
    return { problem: `must be ${what} to a file that can be read${why}` };
  }
}
