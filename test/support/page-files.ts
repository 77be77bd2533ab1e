/** Writes the generated files of the page: `npm run page:files`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machines } from '../../src/http/page/machines.ts';
import { root } from './house/sources.ts';

/** The generated files, by path, as the page's sources and docs/errors.md make them today. */
export function pageFiles(): Readonly<Record<string, string>> {
  return {
    'src/http/page/error-entries.ts': errorEntries(read('docs/errors.md')),
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

function errorEntries(page: string): string {
  const lines = entriesOfPage(page).map(({ client = '', why, remedy, texts }) => {
    return `\n${[client, why, remedy, ...texts].join('\t')}`;
  });
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

/** A line for each entry, with tabs between the client, the cause, the remedy and the texts. */
const lines = ${literal(lines.join(''))};

export const errorEntries: readonly ErrorEntry[] = lines
  .slice(1)
  .split('\\n')
  .map((line) => {
    const [client = '', why = '', remedy = '', ...texts] = line.split('\\t');
    return { texts, client, why, remedy };
  });
`;
}

/**
 * The rows of the tables of docs/errors.md. Links to guides lead to the instructions of the page (`[guide](podman)`, and
 * `[guides](#machine)` for all), and other links are text: a proxy does not have the documents. Messages that only the
 * command line prints are left out: each of them has its advice, or is about what was typed.
 */
export function entriesOfPage(page: string): Row[] {
  const sections = page.replace(/\[([^\]]+)\]\(([^)]+)\)/g, pageLinkOf).split(/^#{2,3} /m);
  return sections
    .filter((section) => !ofCommands.some((heading) => section.startsWith(`${heading}\n`)))
    .flatMap(entriesOf);
}

/** The sections of docs/errors.md about commands. */
const ofCommands = ['Copies and archives', 'The command line'];

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
