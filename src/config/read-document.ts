import type * as z from 'zod/mini';
import { nearest } from '../edit-distance.ts';
import { documentSchema, matchSchema, type RawMatch, routeSchema } from './document.ts';
import { DocumentSyntaxError } from './document-syntax.ts';
import { keyOf, variableOf } from './keys.ts';
import { notShown, type SettingProblem } from './problem.ts';
import { redacted } from './redacted.ts';
import { createSource, type SettingSource, withoutSettings } from './sources.ts';

/** A route of a file, before its settings are parsed. */
export interface RawRoute {
  /** The path of its keys, like `routes[2].` */
  readonly location: string;
  readonly match: RawMatch | undefined;
  readonly source: SettingSource;
}

export interface ReadDocument {
  readonly top: SettingSource;
  /** undefined if the file has no routes, or if there is no file. */
  readonly routes: readonly RawRoute[] | undefined;
  readonly problems: readonly SettingProblem[];
}

/** A file without some settings of its top level, and without their problems. @param names the variables. */
export function withoutTopSettings(document: ReadDocument, names: readonly string[]): ReadDocument {
  const keys = names.flatMap((name) => [keyOf(name), keyOf(`${name}_FILE`)]);
  const problems = document.problems.filter(({ variable }) => !keys.includes(variable));
  return { ...document, top: withoutSettings(document.top, names), problems };
}

/**
 * Reads the configuration file. All its problems are returned together.
 * @param text undefined if there is no file.
 * @param file its path for messages, or REGSHIFT_CONFIG if that is the text itself.
 * @param parse throws a DocumentSyntaxError, or a SyntaxError whose message quotes the text.
 * @param readFile reads the files that hold secrets; undefined on a runtime without files.
 */
export function readDocument(
  text: string | undefined,
  file: string,
  parse: (text: string) => unknown,
  readFile: ((path: string) => string) | undefined,
): ReadDocument {
  const nothing = { top: createSource({ path: '', file }, {}, readFile), routes: undefined };
  if (text === undefined) return { ...nothing, problems: [] };
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    return { ...nothing, problems: [unreadable(error, text, file)] };
  }
  const parsed = documentSchema.safeParse(content);
  const wrong = (parsed.error?.issues ?? []).flatMap((issue) => problemsOf(issue, content, file));
  // The valid settings are read as well, to report the problems between them too.
  const { data } = parsed.success
    ? parsed
    : documentSchema.safeParse(withoutWrong(content, parsed.error.issues));
  if (data === undefined) return { ...nothing, problems: wrong };
  const { routes, $schema: _, ...top } = data;
  const sources = routes?.map(({ match, ...own }, index) => {
    const location = `routes[${index}].`;
    return { location, match, source: createSource({ path: location, file }, byVariable(own), readFile) };
  });
  const topSource = createSource({ path: '', file }, byVariable(top), readFile);
  const others = [topSource, ...(sources ?? []).map(({ source }) => source)].flatMap(
    ({ problems }) => problems,
  );
  return { top: topSource, routes: sources, problems: [...wrong, ...others] };
}

/**
 * Copies the content without the values that issues are about. A wrong route becomes `{}`, so that all keep their
 * numbers.
 */
function withoutWrong(content: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(content);
  for (const issue of issues) {
    const paths =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) {
      const parent = valueAt(copy, path.slice(0, -1));
      const last = path.at(-1);
      if (Array.isArray(parent)) parent[Number(last)] = {};
      else if (last !== undefined) delete (parent as Record<PropertyKey, unknown>)[last];
    }
  }
  return copy;
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown>)?.[key], content);
}

function byVariable(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(own).flatMap(([key, value]) => {
      if (value === undefined) return [];
      const variable = variableOf(key) ?? `${variableOf(key.replace(/File$/, ''))}_FILE`;
      return [[variable, value]];
    }),
  );
}

/** The message of JSON.parse quotes the text, which may hold secrets. */
function unreadable(error: unknown, text: string, file: string): SettingProblem {
  const why = error instanceof DocumentSyntaxError ? `: ${placedFault(error, text, file)}` : '';
  return { variable: 'REGSHIFT_CONFIG', value: notShown, message: `must be YAML or JSON${why}` };
}

/** Of the text of the line, only a known key is shown. */
function placedFault({ message: fault, place }: DocumentSyntaxError, text: string, file: string): string {
  if (place === undefined) return `${file} ${fault}`;
  const line = text.split('\n')[place.line - 1] ?? '';
  const [, key = ''] = /^[\s{-]*"?([A-Za-z0-9]+)"?\s*:/.exec(line) ?? [];
  const isKnown = [topKeys, routeKeys, matchKeys].some((keys) => Object.hasOwn(keys, key));
  return `${file}:${place.line}:${place.column} ${fault}${isKnown ? `, in the line of ${key}` : ''}`;
}

function problemsOf(issue: z.core.$ZodIssue, content: unknown, file: string): SettingProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, file));
  const value = valueAt(content, issue.path);
  const last = String(issue.path.findLast((each) => typeof each === 'string') ?? '');
  const variable = variableOf(last) ?? (variableOf(last.replace(/File$/, '')) ? `${last}_SECRET` : last);
  const { message } = issue;
  const shown = redacted(variable, value);
  if (issue.path.length === 0) return [{ variable: 'REGSHIFT_CONFIG', value: shown, message }];
  return [{ variable: pathText(issue.path), file, value: shown, message }];
}

function unknownKey(path: readonly PropertyKey[], key: string, file: string): SettingProblem {
  const inMatch = path.at(-1) === 'match';
  const inRoute = !inMatch && path.length > 0;
  const keys = Object.keys(inMatch ? matchKeys : inRoute ? routeKeys : topKeys);
  const near = nearest(key, keys) ?? nearest(keyOf(key), keys);
  const belongsOnTop =
    inRoute && Object.hasOwn(topKeys, key)
      ? 'is for the whole program: put it at the top of the file'
      : undefined;
  const all = inMatch ? `there are ${keys.join(', ')}` : 'docs/settings.md lists all';
  const message = belongsOnTop ?? `is not a setting: ${near ? `did you mean ${near}?` : all}`;
  return { variable: pathText([...path, key]), file, value: notShown, message };
}

const { shape: topKeys } = documentSchema;
const { shape: routeKeys } = routeSchema;
const { shape: matchKeys } = matchSchema;

/** The path of a key for a message, like `routes[2].match.host[0]`. An empty key is shown in quotes. */
function pathText(path: readonly PropertyKey[]): string {
  const parts = path.map((each, index) =>
    typeof each === 'number' ? `[${each}]` : `${index > 0 ? '.' : ''}${String(each) || '""'}`,
  );
  return parts.join('');
}
