import { html } from 'hono/html';
import type { Html } from './document.ts';
import { type ErrorEntry, errorEntries } from './error-entries.ts';
import { errorForm } from './forms.ts';

/** Most entries that are shown for a text. */
const most = 3;

/** Shortest piece of a message that can be recognised by itself, in characters. */
const shortest = 8;

/**
 * Finds the entries of docs/errors.md for a text, the best one first. A message of the page has `…` and `R:T` where it
 * varies, so its fixed pieces are looked for.
 */
export function findErrors(text: string): ErrorEntry[] {
  const wanted = normalized(text);
  return errorEntries
    .map((entry) => ({ entry, score: Math.max(0, ...entry.texts.map((each) => scoreOf(each, wanted))) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, most)
    .map(({ entry }) => entry);
}

/** The entry of an error code of regshift. */
export function errorOfCode(code: string): ErrorEntry | undefined {
  return errorEntries.find(({ texts }) => texts[0] === code);
}

/** The length of what a text has of a message; 0 if a long piece is missing, or all pieces are too short to tell. */
function scoreOf(message: string, wanted: string): number {
  const pieces = normalized(message)
    .split(/…|\b[rt]:?t?\b/)
    .map((piece) => piece.trim());
  const telling = pieces.filter((piece) => piece.length >= shortest);
  if (telling.length === 0) return normalized(message) === wanted || isCode(message, wanted) ? 100 : 0;
  const found = telling.filter((piece) => wanted.includes(piece));
  // A person may paste the beginning of a message.
  if (found.length === 0)
    return wanted.length >= shortest && telling.some((piece) => piece.includes(wanted))
      ? wanted.length / 2
      : 0;
  const sum = found.reduce((length, piece) => length + piece.length, 0);
  return found.length === telling.length ? sum : sum / 4;
}

function isCode(message: string, wanted: string): boolean {
  return /^[A-Z_]+$/.test(message) && wanted.split(/\W+/).includes(message.toLowerCase());
}

function normalized(text: string): string {
  return text
    .toLowerCase()
    .replace(/[“”"'’‘\\]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The entries for a text, or the advice for a text without one. */
export function errorsHtml(text: string): Html {
  const found = findErrors(text);
  return html`<h1>Errors</h1>
${errorForm(text)}
${
  found.length === 0
    ? html`<p class="note">No entry of docs/errors.md has these words. The log of regshift has a line for each request: if it has none for your pull, the pull did not go through this proxy.</p>`
    : found.map(entryHtml)
}`;
}

/** One entry of docs/errors.md. */
export function entryHtml({ texts, client, why, remedy }: ErrorEntry): Html {
  return html`<article class="entry">
<h2>${texts.map((each) => html`<code>${each}</code> `)}</h2>
<dl>
${client === undefined ? '' : html`<div><dt>Client</dt><dd>${inline(client)}</dd></div>`}
<div><dt>Why</dt><dd>${inline(why)}</dd></div>
<div><dt>What to do</dt><dd>${inline(remedy)}</dd></div>
</dl>
</article>`;
}

/** Markdown of a cell: code, and links without their targets, which are files of the sources. */
function inline(markdown: string): Html {
  const text = markdown.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  return html`${text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}
