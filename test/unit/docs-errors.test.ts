import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileVariables } from '../../src/config/setting-files.ts';
import { settingNames } from '../../src/config/settings.ts';
import { httpErrors } from '../../src/errors.ts';
import { filesBelow } from '../support/docs/own-files.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');

/** Below these headings, the first cell of a row is a message of the program with … for what varies. */
const ownMessages = page.slice(page.indexOf('### This client, this image'), page.indexOf('## What no proxy'));
const rows = [...ownMessages.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');

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
    const missing = fragments.filter((part) => part.length > 2 && !texts.some((text) => text.includes(part)));
    expect(missing).toEqual([]);
  });
});

describe('the documents', () => {
  test.each(filesBelow(root, '.md'))('%s names no setting that there is not', (file) => {
    const named = readFileSync(join(root, file), 'utf8').match(/\bREGSHIFT_[A-Z0-9_]+/g) ?? [];
    const others = ['REGSHIFT_REQUIRE_PEERS', ...fileVariables.map((variable) => `${variable}_FILE`)];
    expect(named.filter((name) => ![...settingNames, ...others].includes(name))).toEqual([]);
  });
});

/** The sources with each literal in one piece, and what is put into templates told by …, one text a file. */
const texts = ['src', 'converters'].flatMap((folder) =>
  [...filesBelow(join(root, folder), '.ts'), ...filesBelow(join(root, folder), '.js')].map((file) =>
    readFileSync(join(root, folder, file), 'utf8')
      .replace(/['"`] \+\s*['"`]/g, '')
      .replaceAll("\\'", "'"),
  ),
);
