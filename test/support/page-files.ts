/** Writes the generated files of the page: `npm run page:files`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machines } from '../../src/http/page/machines.ts';
import { root } from './house/sources.ts';

/** The generated files, by path, as the page's sources and docs/errors.md make them today. */
export function pageFiles(): Readonly<Record<string, string>> {
  return {
    'src/http/page/error-entries.ts': errorEntries(read('docs/errors.md')),
    'src/http/page/node-error-entries.ts': nodeErrorEntries(read('docs/errors.md')),
    'src/http/page/browser-files.ts': browserFiles(),
  };
}

const read = (file: string) => readFileSync(join(root, file), 'utf8');

const note =
  '// Written by `npm run page:files`: the program has no other way to this text that works in a clone, in the package and\n// in the Worker alike.\n';

function browserFiles(): string {
  const constant = (name: string, about: string, text: string) =>
    `/** ${about} */\nexport const ${name} = ${literal(text)};\n`;
  const script = compactScript(read('src/http/page/browser/page.js'));
  const style = compactStyle(read('src/http/page/browser/page.css'));
  return `${note}
${constant('pageScript', 'The script of the page: browser/page.js without comments and indentation.', script)}
${constant('pageStyle', 'The style of the page: browser/page.css without comments and white space.', style)}`;
}

/** A script without its comments, which stand on lines of their own, and without indentation. */
export function compactScript(script: string): string {
  return script
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
    .replace(/^\s*\/\/.*\n/gm, '')
    .replace(/^\s+/gm, '');
}

/** A style without comments and white space between its tokens. It has no comment or brace inside a string. */
export function compactStyle(style: string): string {
  return style
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1')
    .replaceAll(': ', ':')
    .replaceAll(';}', '}\n')
    .trim();
}

function literal(text: string): string {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\``;
}

/** A line for each entry, with tabs between the client, the cause, the remedy and the texts. */
function linesOf(entries: readonly Row[]): string {
  const lines = entries.map(({ client = '', why, remedy, texts }) => {
    return `\n${[client, why, remedy, ...texts].join('\t')}`;
  });
  return `/** A line for each entry, with tabs between the client, the cause, the remedy and the texts. */
const lines = ${literal(lines.join(''))};`;
}

function nodeErrorEntries(page: string): string {
  return `${note}
import { type ErrorEntry, entriesOf } from './error-entries.ts';

${linesOf(entriesOfPage(page, 'node'))}

/** The entries that the pages of Workers and embedded apps leave out. */
export const nodeErrorEntries: readonly ErrorEntry[] = entriesOf(lines);
`;
}

function errorEntries(page: string): string {
  return `${note}
/** An entry of docs/errors.md, in its Markdown, with links to machines of the page. */
export interface ErrorEntry {
  /** The messages or codes; \`…\` stands for text that varies. */
  readonly texts: readonly string[];
  /** The clients that print it; empty for a message of regshift. */
  readonly client: string;
  readonly why: string;
  readonly remedy: string;
}

${linesOf(entriesOfPage(page, 'everywhere'))}

/** The entries that the page has on every runtime. */
export const errorEntries: readonly ErrorEntry[] = entriesOf(lines);

/** Reads the entries of \`lines\`. */
export function entriesOf(lines: string): ErrorEntry[] {
  return lines
    .slice(1)
    .split('\\n')
    .map((line) => {
      const [client = '', why = '', remedy = '', ...texts] = line.split('\\t');
      return { texts, client, why, remedy };
    });
}
`;
}

/**
 * The rows of the tables of docs/errors.md. Links to guides lead to the instructions of the page (`[guide](podman)`, and
 * `[guides](#machine)` for all), and other links are text: a proxy does not have the documents.
 * @param place the rows of the sections with this place.
 */
export function entriesOfPage(page: string, place: Place): Row[] {
  const sections = page.replace(/\[([^\]]+)\]\(([^)]+)\)/g, pageLinkOf).split(/^#{2,3} /m);
  return sections.filter((section) => placeOf(section) === place).flatMap(entriesOf);
}

/**
 * The place of a message:
 * - `everywhere`: a client, or regshift on any runtime.
 * - `node`: regshift on Node, or a start. A Worker or an embedded app that cannot start has no page.
 * - `command`: the command line. No page has it: each message has its advice, or is about what was typed.
 */
type Place = 'everywhere' | 'node' | 'command';

/** The place in the comment below a section's heading, like `<!-- place: node -->`. */
function placeOf(section: string): Place {
  const [, place = 'everywhere'] = /^[^\n]*\n\n<!-- place: (.+) -->\n/.exec(section) ?? [];
  if (place === 'everywhere' || place === 'node' || place === 'command') return place;
  throw new Error(`docs/errors.md has the place "${place}": it must be node or command, or be left out`);
}

function pageLinkOf(_: string, label: string, target: string): string {
  if (target === '../deploy/clients/') return `[${label}](#machine)`;
  const machine = machines.find(({ guide }) => target === `../deploy/clients/${guide}`);
  return machine ? `[${label}](${machine.id})` : label;
}

interface Row {
  readonly texts: readonly string[];
  readonly client: string;
  readonly why: string;
  readonly remedy: string;
}

/** The rows of a section's table: text, client, cause, solution; code, …, meaning, what to do; message, why, what to do. */
function entriesOf(section: string): Row[] {
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  const rows: Row[] = [];
  for (const line of lines) {
    const cells = line
      .slice(1, line.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    const texts = [...(cells[0] ?? '').matchAll(/(?<!\bin )`([^`]+)`/g)].map(([, text = '']) => text);
    const before = rows.at(-1);
    const [why = '', remedy = ''] = cells.slice(-2);
    rows.push({
      texts,
      client: cells.length === 4 ? (cells[1] ?? '') : '',
      why: alone(why, before?.why),
      remedy: alone(remedy, before?.remedy),
    });
  }
  return rows;
}

/** A cell as it reads without the row before it, to which a table says "the same". */
function alone(cell: string, before = ''): string {
  return cell.replace(/^the same(?=$|[,;])/, before);
}

if (import.meta.main) {
  for (const [file, text] of Object.entries(pageFiles())) writeFileSync(join(root, file), text);
}
