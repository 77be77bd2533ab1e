import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileVariables } from '../../src/config/setting-files.ts';
import { settingNames } from '../../src/config/settings.ts';
import { httpErrors } from '../../src/errors.ts';

/** Folders without documents of their own. Files of wrangler may vanish while they are listed. */
const foreign = ['node_modules', 'dist', '.wrangler', '.git', 'golden'];
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

  test.each(filesBelow(root, '.md'))('%s links to files and headings that are there', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !isThere(file, link))).toEqual([]);
  });
});

function isThere(from: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? join(root, from) : join(root, from, '..', path);
  if (heading === undefined || !existsSync(target)) return existsSync(target);
  const headings = readFileSync(target, 'utf8').match(/^#+ .+$/gm) ?? [];
  return headings.map(anchorOf).includes(heading);
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  const text = heading.replace(/^#+ /, '').toLowerCase();
  return text.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
}

/** The sources with each literal in one piece, and what is put into templates told by …, one text a file. */
const texts = ['src', 'converters'].flatMap((folder) =>
  [...filesBelow(join(root, folder), '.ts'), ...filesBelow(join(root, folder), '.js')].map((file) =>
    readFileSync(join(root, folder, file), 'utf8')
      .replace(/['"`] \+\s*['"`]/g, '')
      .replaceAll("\\'", "'"),
  ),
);

function filesBelow(folder: string, end: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return foreign.includes(entry.name) ? [] : filesBelow(folder, end, path);
    return entry.name.endsWith(end) ? [path] : [];
  });
}
