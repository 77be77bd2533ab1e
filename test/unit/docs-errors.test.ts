import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileVariables } from '../../src/config/setting-files.ts';
import { settingNames } from '../../src/config/settings.ts';
import { httpErrors } from '../../src/errors.ts';
import { isCovered, messagesOf, messagesOfProgram } from '../support/docs/messages.ts';
import { filesBelow } from '../support/docs/own-files.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');

/** Below these headings, the first cell of a row is a message of the program with … for what varies. */
const ownMessages = page.slice(page.indexOf('### This client, this image'), page.indexOf('## What no proxy'));
const rows = [...ownMessages.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message),
);

describe('docs/errors.md', () => {
  test.each(Object.entries(httpErrors))(
    '%s: status and wire code as the program sends them',
    (code, told) => {
      expect(page).toContain(`| \`${code}\` | ${told.status} | \`${told.code}\` |`);
    },
  );

  test('has rows of messages', () => {
    expect(rows.length).toBeGreaterThan(50);
  });

  test.each(rows)('the program does say: %s', (message) => {
    const fragments = message.split('…').map((part) => part.trim());
    expect(fragments.filter((part) => part.length > 2 && !isSaid(part))).toEqual([]);
  });
});

describe('the messages of the program', () => {
  const messages = messagesOfProgram();

  test.each([
    ['a reader of settings', 'must be PEM, or a path to a file that can be read…'],
    ['a rule between settings', 'must be set, because … is …: …'],
    ['the command line', '… is not a known client.… Known clients: ….'],
    ['the name of an image', '… is not an image name. …'],
    [
      'a conversion',
      'The image has more layers than clients of schema 1 can run; rebuild it with fewer layers',
    ],
    ['the registry', 'Upstream took a blob of … and did not say which.'],
    ['the log', 'an answer broke off'],
    ['the log, by a variable', 'the certificate in … expires soon'],
    [
      'an error, by a variable',
      'regshift has as many requests in progress as REGSHIFT_MAX_REQUESTS allows. Try again in a few seconds.',
    ],
    ['a broken field', 'fsLayers and history do not match'],
    ['a broken layer', 'should be zstd and is not.'],
    ['a wrong response', 'answered … without a Location'],
  ])('are found: %s', (_, text) => {
    expect(messages.map((each) => each.text)).toContain(text);
  });

  test('have a row each', () => {
    expect(messages.filter(({ text }) => !isCovered(text, rows))).toEqual([]);
  });

  test('reasons of losses have a row each', () => {
    const losses = messagesOf(readFileSync(join(root, 'converters/losses.ts'), 'utf8'), true);
    expect(losses).toContain('has no place in this form');
    expect(losses.filter((text) => !isCovered(text, rows))).toEqual([]);
  });
});

describe('messages in a source', () => {
  test('are taken from texts and templates, in one piece', () => {
    const source = `
      // throw new UsageError('A comment is no message.');
      const message = 'must be one text ' + \`of \${count > 1 ? \`\${count} parts\` : 'a part'}\`;
      const pattern = /^'(?:is|a) pattern[/']/;
      throw new RegistryError('UNKNOWN', "The registry's text.");
      log('info', 'a line for nobody'); log('warn', 'a line for an operator');
      throw new UsageError(one ? 'The first of two.' : 'The second of two.');
    `;
    expect(messagesOf(source, true).sort()).toEqual([
      'The first of two.',
      "The registry's text.",
      'The second of two.',
      'a line for an operator',
      'must be one text of …',
    ]);
  });

  test('are covered by a row with all their fixed parts, or with a long part of them', () => {
    const rows = ['must be at most … …', 'is not a setting: did you mean …?', 'must be'];
    expect(isCovered('must be at most … …', rows)).toBe(true);
    expect(isCovered('is not a setting: …', rows)).toBe(true);
    expect(isCovered('must be at most … seconds, because … is short', rows)).toBe(true);
    expect(isCovered('must be PEM', rows)).toBe(false);
    expect(isCovered('most at be must', rows)).toBe(false);
  });
});

describe('the documents', () => {
  test.each(filesBelow(root, '.md'))('%s names no setting that there is not', (file) => {
    const named = readFileSync(join(root, file), 'utf8').match(/\bREGSHIFT_[A-Z0-9_]+/g) ?? [];
    const others = ['REGSHIFT_REQUIRE_PEERS', ...fileVariables.map((variable) => `${variable}_FILE`)];
    expect(named.filter((name) => ![...settingNames, ...others].includes(name))).toEqual([]);
  });
});

/**
 * The sources with each literal in one piece, and what is put into templates told by …, one text a file. The page has the
 * messages out of docs/errors.md itself.
 */
const texts = ['src', 'converters'].flatMap((folder) =>
  [...filesBelow(join(root, folder), '.ts'), ...filesBelow(join(root, folder), '.js')]
    .filter((file) => !file.endsWith('error-entries.ts'))
    .map((file) =>
      readFileSync(join(root, folder, file), 'utf8')
        .replace(/['"`] \+\s*['"`]/g, '')
        .replaceAll("\\'", "'"),
    ),
);

const isInSources = (part: string) => texts.some((text) => text.includes(part));

/** The shortest piece of a sentence that a template may join with others, in letters. */
const leastPiece = 8;

/** Whether the program says a text: in one piece, or in pieces that it joins, with numbers and settings between them. */
function isSaid(text: string): boolean {
  if (text === '' || isInSources(text)) return true;
  const value = /^(?:REGSHIFT_\w+|\d+)\s*/.exec(text)?.[0];
  if (value !== undefined) return isSaid(text.slice(value.length));
  for (let end = text.length - 1; end >= leastPiece; end -= 1) {
    if (isInSources(text.slice(0, end)) && isSaid(text.slice(end).trimStart())) return true;
  }
  return false;
}
