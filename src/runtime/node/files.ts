import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { DocumentSyntaxError } from '../../config/document-syntax.ts';
import { UnreadableFileError } from '../../config/setting-files.ts';
import { yamlError } from './yaml-error.ts';

/**
 * Reads a file of the settings.
 * @param beside the file that contains the path; a relative path is relative to it.
 * @param isAgain whether the process serves already, so that a named pipe, whose read waits for a writer, is refused.
 * @throws UnreadableFileError.
 */
export function readFile(path: string, beside?: string, isAgain = false): string {
  const folder = beside === undefined ? process.cwd() : dirname(resolve(beside));
  try {
    const full = resolve(folder, path);
    const text = isAgain ? readRegularFile(full) : readFileSync(full, 'utf8');
    // Editors and shells of Windows begin a file with a byte order mark, which is no part of the text.
    return text.replace(/^\uFEFF/, '');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new UnreadableFileError(isPathForCertain(path, folder) ? resolve(folder, path) : undefined, code);
  }
}

/** O_NONBLOCK opens a named pipe at once (open(2)). Windows has neither. */
const unblocked = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function readRegularFile(path: string): string {
  const file = openSync(path, unblocked);
  try {
    const stat = fstatSync(file);
    if (stat.isFile()) return readFileSync(file, 'utf8');
    throw Object.assign(new Error(), { code: stat.isDirectory() ? 'EISDIR' : 'not a regular file' });
  } finally {
    closeSync(file);
  }
}

/** The ends of the names of files that people give to regshift. */
const fileNames = /^[\w./~ -]*\w\.(?:pem|key|crt|cer|jwk|json|ya?ml|txt|conf|htpasswd)$/;

/**
 * Tells whether a message may show this path. A key that lost its line breaks, or a password in the wrong variable, has
 * slashes too, but no folder that exists.
 */
function isPathForCertain(text: string, folder: string): boolean {
  if (fileNames.test(text) || /^(?:\.{1,2}|~)\//.test(text)) return true;
  const [first = ''] = (isAbsolute(text) ? text.slice(1) : text).split('/');
  const isNested = text.slice(1).includes('/');
  return isNested && first !== '' && existsSync(isAbsolute(text) ? `/${first}` : resolve(folder, first));
}

const aliasFault =
  'has an alias without its anchor, or too many aliases: put quotes around a text that begins with *';

/** Parses YAML 1.2, which includes JSON. It throws an error with the position and without the text, which may be secret. */
type ParseYaml = (text: string) => unknown;

/** Loads the parser for a file with settings, if there is one: the parser takes ten megabytes. */
export async function yamlParserFor(
  variables: Readonly<Record<string, unknown>>,
): Promise<ParseYaml | undefined> {
  return variables.REGSHIFT_CONFIG ? loadYamlParser() : undefined;
}

export async function loadYamlParser(): Promise<ParseYaml> {
  const yaml = await import('yaml');
  return (text) => {
    // Warnings of the parser quote the text, too.
    const document = yaml.parseDocument(text, { prettyErrors: true, logLevel: 'error' });
    const [error] = document.errors;
    if (error) throw yamlError(text, document, error, yaml);
    try {
      return document.toJS({ maxAliasCount: 100 });
    } catch {
      // The error quotes the name, which may be a password that begins with *.
      throw new DocumentSyntaxError(aliasFault, undefined);
    }
  };
}
