import { html } from 'hono/html';
import { type Html, linkedText } from './document.ts';
import { type ErrorEntry, errorEntries } from './error-entries.ts';
import { errorForm } from './forms.ts';

/** Most entries that are shown for a text. */
const most = 3;

/** Entries whose score is below this part of the best one are noise. */
const least = 1 / 3;

/** Shortest message, or part of one, that is recognised inside a longer text, in letters and digits. */
const shortest = 6;

/** Most words of a text that entries are searched for by. */
const mostWords = 60;

/** Entries of docs/errors.md, the best one first. */
export interface FoundErrors {
  readonly entries: readonly ErrorEntry[];
  /** The entries have a message of the text; otherwise only words of it. */
  readonly isExact: boolean;
}

/** Finds the entries for a text: a message, a part of it, or lines of a log with it; otherwise words. */
export function findErrors(text: string, known: readonly ErrorEntry[]): FoundErrors {
  const wanted = lettersOf(text);
  const exact = best(known, ({ texts }) => Math.max(...texts.map((each) => scoreOf(each, wanted, text))));
  return exact.length > 0
    ? { entries: exact, isExact: true }
    : { entries: best(known, wordScore(wordsOf(text), known)), isExact: false };
}

/** The entry of an error code of regshift. */
export function errorOfCode(code: string): ErrorEntry | undefined {
  return errorEntries.find(({ texts }) => texts[0] === code);
}

function best(known: readonly ErrorEntry[], score: (entry: ErrorEntry) => number): ErrorEntry[] {
  const scored = known.map((entry) => ({ entry, score: score(entry) }));
  const highest = Math.max(...scored.map((each) => each.score));
  return scored
    .filter((each) => each.score > 0 && each.score >= highest * least)
    .sort((one, other) => other.score - one.score)
    .slice(0, most)
    .map(({ entry }) => entry);
}

/**
 * The number of letters that a text shares with a message. The message has `…`, R and T where it varies, so its fixed
 * pieces are looked for, in their order.
 */
function scoreOf(message: string, wanted: string, text: string): number {
  if (/^[A-Z][A-Z_]+$/.test(message)) return hasCode(text, message) ? message.length : 0;
  const pieces = message
    .split(/…|\b[RT]\b/)
    .map(lettersOf)
    .filter((piece) => piece.length >= 4);
  const length = sum(pieces);
  if (wanted.length < shortest || length < shortest) return wanted === lettersOf(message) ? length : 0;
  let at = 0;
  const found = pieces.filter((piece) => {
    const next = wanted.indexOf(piece, at);
    if (next !== -1) at = next + piece.length;
    return next !== -1;
  });
  // The end of an open message is one of its own, which tells more.
  if (found.length === pieces.length) return message.endsWith('…') ? length / 2 : length;
  // A person may paste a part of a message.
  const part = Math.max(...pieces.map((piece) => (piece.includes(wanted) ? wanted.length ** 2 / length : 0)));
  return Math.max(part, sum(found) >= 12 ? sum(found) / 4 : 0);
}

/** Whether a text has a code of regshift: in upper case, or alone. Clients print words like `denied` of their own. */
function hasCode(text: string, code: string): boolean {
  const isAlone = code.includes('_') && text.trim().toUpperCase() === code;
  return isAlone || [text, text.replace(/\r?\n/g, '')].some((each) => each.split(/\W+/).includes(code));
}

function sum(pieces: readonly string[]): number {
  return pieces.reduce((length, piece) => length + piece.length, 0);
}

/**
 * The letters and digits of a text alone: quotes and spaces differ, and a terminal breaks lines within words. Colours
 * of terminals, digests and times are left out.
 */
function lettersOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/\p{Cc}\[[\d;]*m|sha256:[\da-f]{12,}|\d{4}-\d\d-\d\d[t ]?[\d:.]*(z|[+-]\d\d:?\d\d)?/gu, ' ')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/\p{L}[\p{L}\p{N}]{3,}/gu));
}

/** Scores an entry by the words of a text that it has, rare words most; 0 if it has less than half of them. */
function wordScore(wanted: ReadonlySet<string>, known: readonly ErrorEntry[]): (entry: ErrorEntry) => number {
  const bags = new Map(
    known.map((entry) => [entry, wordsOf(Object.values(entry).flat().join(' '))] as const),
  );
  const weights = [...wanted]
    .slice(0, mostWords)
    .map((word) => [word, 1 / [...bags.values()].filter((bag) => bag.has(word)).length] as const);
  return (entry) => {
    const had = weights.filter(([word]) => bags.get(entry)?.has(word));
    return had.length * 2 < weights.length ? 0 : had.reduce((score, [, weight]) => score + weight, 0);
  };
}

/** The entries for a text, and the advice for a text without one. */
export function errorsHtml(text: string, known: readonly ErrorEntry[]): Html {
  const { entries, isExact } = findErrors(text, known);
  return html`<h1>Errors</h1>
${errorForm(text)}
${isExact ? '' : unknownHtml(entries.length > 0)}
${entries.map(entryHtml)}`;
}

function unknownHtml(hasWords: boolean): Html {
  return html`<section class="ask"><h2>No message that regshift knows is in this text</h2>
<ol>
<li>Paste the whole line, or the line before it: programs print the cause first or last. The log of the engine (<code>journalctl -u docker</code>) has more than the terminal.</li>
<li>Look for the pull in the log of regshift. Without a line there, the pull did not go through this proxy: <a href="./#machine">set up the machine</a>.</li>
<li><a href="./#image-title">Look up the image</a> to see what the client gets, and why.</li>
</ol></section>
${hasWords ? html`<h2>Entries with words of it</h2>` : ''}`;
}

/** One entry of docs/errors.md. */
export function entryHtml({ texts, client, why, remedy }: ErrorEntry): Html {
  return html`<article class="entry">
<h2>${texts.map((each) => html`<code>${each}</code> `)}</h2>
<dl>
${client === '' ? '' : html`<div><dt>Client</dt><dd>${inline(client)}</dd></div>`}
<div><dt>Why</dt><dd>${inline(why)}</dd></div>
<div><dt>What to do</dt><dd>${inline(remedy)}</dd></div>
</dl>
</article>`;
}

/** Markdown of a cell: code, and links to the instructions for one machine, or for all. */
function inline(markdown: string): Html {
  return html`${markdown.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : linkedText(part)))}`;
}
