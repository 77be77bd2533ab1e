import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type Platform, readPlatform } from '../../converters/platform.ts';
import { parseBytes } from '../byte-text.ts';
import { parseTemplate, type Template } from './terminal/template.ts';

/** Reads a platform like `linux/arm/v7`. @throws InvalidArgumentError. */
export function readPlatformOption(text: string): Platform {
  const platform = readPlatform(text);
  if (platform) return platform;
  throw new InvalidArgumentError('It must be os/architecture or os/architecture/variant, like linux/arm/v7.');
}

/** Reads an http or https URL without login, query and fragment. @throws InvalidArgumentError. */
export function readUrlOption(text: string): URL {
  const url = URL.parse(text) ?? undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash) return url;
  throw new InvalidArgumentError(
    'It must begin with http:// or https://, and must have no login and no query.',
  );
}

/** Reads a port. @throws InvalidArgumentError. */
export function readPortOption(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port from 0 to 65535.');
}

/** Reads a number of seconds, 0 or more. @throws InvalidArgumentError. */
export function readSecondsOption(text: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(seconds)) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds, 0 or more.');
}

/** Reads a number of bytes, 0 or more: `500`, `10GB` (10 × 1000³), `1.5 GiB`. @throws InvalidArgumentError. */
export function readBytesOption(text: string): number {
  const bytes = parseBytes(text);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError(
    'It must be a whole number of bytes, or one with a unit, like 10GB or 10GiB.',
  );
}

/** Reads `true` or `false`. @throws InvalidArgumentError. */
export function readBooleanOption(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It must be true or false.');
}

/** The description of `--format`. @param example a template for the JSON of the command. */
export function formatHelp(example: string): string {
  return `print a template of Go's syntax over the JSON, like ${example}`;
}

/** Reads a template. @throws InvalidArgumentError. */
export function readTemplateOption(text: string): Template {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  try {
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InvalidArgumentError(`The template is wrong: ${error.message}.`);
  }
}

/** Reads names with commas between them, and adds them to earlier ones. @throws InvalidArgumentError for no name. */
export function readListOption(text: string, earlier: readonly string[] | undefined): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  if (given.length > 0) return [...(earlier ?? []), ...given];
  throw new InvalidArgumentError('It must have a name, or several with commas between them.');
}
