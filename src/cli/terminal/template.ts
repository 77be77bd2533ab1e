import { jsonText } from '../../observability/json-text.ts';
import { escapeControl } from '../../observability/log-format.ts';

/** A parsed template: renders a value. */
export type Template = (value: unknown) => string;

/** Renders a part of a template. @param dot the current value. @param root the value of `$`. */
type Part = (dot: unknown, root: unknown) => string;
type Operand = (dot: unknown, root: unknown) => unknown;

/**
 * Parses a template as `docker inspect --format` has, in a part of Go's syntax (text/template): fields like `.a.b`, `.`,
 * `$`, strings, numbers, `|`, the functions of `functions`, `range`, `if`, `else`, `end`, and `{{-` and `-}}`.
 * @throws SyntaxError, whose message says what is wrong.
 */
export function parseTemplate(text: string): Template {
  // docker inspect --format json (docker/cli, cli/command/inspect/inspector.go).
  const tokens = tokensOf(text === 'json' ? '{{json .}}' : text);
  const whole = parseParts(tokens, 'the end of the template');
  return (value) => whole.render(value, value);
}

type Token = { readonly text: string } | { readonly action: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let trims = false;
  let rest = text;
  const add = (plain: string) => tokens.push({ text: trims ? plain.trimStart() : plain });
  for (;;) {
    const match = /\{\{(-\s)?((?:"(?:[^"\\]|\\.)*"|[^"}])*?)(\s-)?\}\}/.exec(rest);
    if (match === null) break;
    const [all, trimBefore, action = '', trimAfter] = match;
    const before = rest.slice(0, match.index);
    add(trimBefore ? before.trimEnd() : before);
    tokens.push({ action: action.trim() });
    trims = trimAfter !== undefined;
    rest = rest.slice(match.index + all.length);
  }
  if (rest.includes('{{')) throw new SyntaxError('an action has no }}');
  add(rest);
  return tokens;
}

interface Parts {
  readonly render: Part;
  /** The action that ended the parts: `else`, `end` or "". */
  readonly end: string;
}

/** Takes tokens from the front until `else`, `end` or the last one. */
function parseParts(tokens: Token[], wanted: string): Parts {
  const parts: Part[] = [];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if ('text' in token) {
      const { text } = token;
      parts.push(() => text);
    } else if (/^else\s/.test(token.action)) {
      throw new SyntaxError('else takes no condition: write {{else}}{{if …}}…{{end}}{{end}}');
    } else if (token.action === 'else' || token.action === 'end') {
      if (wanted !== 'end')
        throw new SyntaxError(`there is {{${token.action}}}, but no range or if before it`);
      return { render: joined(parts), end: token.action };
    } else parts.push(parseAction(token.action, tokens));
  }
  if (wanted === 'end') throw new SyntaxError('a range or if has no {{end}}');
  return { render: joined(parts), end: '' };
}

function joined(parts: readonly Part[]): Part {
  return (dot, root) => parts.map((part) => part(dot, root)).join('');
}

function parseAction(action: string, tokens: Token[]): Part {
  const [, word, subject = ''] = /^(range|if)\s+(.+)$/s.exec(action) ?? [];
  if (word === undefined) {
    const value = parsePipeline(action);
    return (dot, root) => textOf(value(dot, root));
  }
  const value = parsePipeline(subject);
  const body = parseParts(tokens, 'end');
  const otherwise = body.end === 'else' ? parseParts(tokens, 'end').render : () => '';
  if (word === 'if') {
    return (dot, root) => (isTrue(value(dot, root)) ? body.render : otherwise)(dot, root);
  }
  return (dot, root) => {
    const items = itemsOf(value(dot, root));
    if (items.length === 0) return otherwise(dot, root);
    return items.map((item) => body.render(item, root)).join('');
  };
}

/** Text of the template itself, or of a function, which is printed as it is. Other text is data of a registry. */
class Written extends String {}

function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Written;
}

/** Functions, by Go's and Docker's names. The value of a pipe is the last argument. */
const functions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  json: (value) => new Written(jsonText(value ?? null)),
  len: (value) => (isText(value) ? String(value).length : itemsOf(value).length),
  index: (value, ...keys) => keys.reduce(member, value),
  join: (list, separator) => new Written(itemsOf(list).map(textOf).join(textOf(separator))),
  upper: (value) => new Written(textOf(value).toUpperCase()),
  lower: (value) => new Written(textOf(value).toLowerCase()),
  println: (...values) => new Written(`${values.map(textOf).join(' ')}\n`),
};

function parsePipeline(text: string): Operand {
  const commands = splitWords(text).reduce<string[][]>(
    (all, word) => {
      if (word === '|') all.push([]);
      else all.at(-1)?.push(word);
      return all;
    },
    [[]],
  );
  return commands
    .map((words, at) => parseCommand(words, at > 0))
    .reduce<Operand>(
      (before, command) => (dot, root) => command(dot, root, before(dot, root)),
      () => undefined,
    );
}

type Command = (dot: unknown, root: unknown, piped: unknown) => unknown;

function parseCommand([first, ...more]: readonly string[], isPiped: boolean): Command {
  if (first === undefined) throw new SyntaxError('an action is empty');
  const called = Object.hasOwn(functions, first) ? functions[first] : undefined;
  if (called === undefined) {
    if (more.length > 0 || isPiped) throw new SyntaxError(`${first} is not a function: use ${functionNames}`);
    return parseOperand(first);
  }
  const args = more.map(parseOperand);
  return (dot, root, piped) => {
    const values = args.map((arg) => arg(dot, root));
    return called(...values, ...(isPiped ? [piped] : []));
  };
}

const functionNames = Object.keys(functions).join(', ');

function parseOperand(word: string): Operand {
  if (/^-?\d+$/.test(word)) return () => Number(word);
  if (/^["`]/.test(word)) {
    const text = new Written(word.startsWith('`') ? word.slice(1, -1) : (JSON.parse(word) as string));
    return () => text;
  }
  const [, start, path = ''] = /^(\$?)((?:\.[A-Za-z_][\w-]*)*|\.)$/.exec(word) ?? [];
  if (start === undefined || word === '') throw new SyntaxError(`${word} is neither a field nor a value`);
  const names = path.split('.').filter((name) => name !== '');
  return (dot, root) => names.reduce<unknown>(member, start === '$' ? root : dot);
}

/** Splits at blanks and pipes, except inside of strings. */
function splitWords(text: string): string[] {
  return text.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|]+/g) ?? [];
}

function member(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null || isText(value)) return undefined;
  const name = String(key);
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null && !isText(value) ? Object.values(value) : [];
}

/** Truth as in Go: an empty list, map or string, 0, false and nothing are false. */
function isTrue(value: unknown): boolean {
  if (isText(value)) return String(value) !== '';
  return typeof value === 'object' ? itemsOf(value).length > 0 : Boolean(value);
}

/**
 * The text of a value: JSON for lists and maps, and Go's `<no value>` for nothing. Data must not control the terminal
 * (`escapeControl`).
 */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (value instanceof Written) return String(value);
  return typeof value === 'object' ? jsonText(value) : escapeControl(String(value));
}
