import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pageScript, pageStyle } from '../../../../src/http/page/browser-files.ts';
import { errorEntries } from '../../../../src/http/page/error-entries.ts';
import { findErrors } from '../../../../src/http/page/error-search.ts';
import { nodeErrorEntries } from '../../../../src/http/page/node-error-entries.ts';
import { inside, program, root, textOf } from '../../../support/house/sources.ts';
import { compactScript, compactStyle, entriesOfPage } from '../../../support/page-files.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the generated files of the page', () => {
  test('are of today: run `npm run page:files`', () => {
    expect(pageScript).toBe(compactScript(read('src/http/page/browser/page.js')));
    expect(pageStyle).toBe(compactStyle(read('src/http/page/browser/page.css')));
    expect(errorEntries).toEqual(entriesOfPage(read('docs/errors.md'), 'everywhere'));
    expect(nodeErrorEntries).toEqual(entriesOfPage(read('docs/errors.md'), 'node'));
  });

  test('are small: the script has a few KB', () => {
    expect(pageScript.length).toBeLessThan(4_000);
    expect(pageStyle.length).toBeLessThan(16_000);
  });

  test('load nothing from elsewhere', () => {
    for (const text of [pageScript, pageStyle])
      expect(text).not.toMatch(/https?:\/\/|url\(|@import|innerHTML|cookie/);
  });
});

describe('every message of docs/errors.md', () => {
  const known = [...errorEntries, ...nodeErrorEntries];
  const messages = known.flatMap(({ texts }) => texts.filter((each) => each.length > 20));

  test.each(messages)('%s leads to its entry', (message) => {
    const seen = `Error response from daemon: ${message.replaceAll('…', 'xyz')}`;
    expect(findErrors(seen, known).entries.flatMap(({ texts }) => texts)).toContain(message);
  });
});

describe('the place of an entry', () => {
  const page = (comment: string) =>
    `## One\n\n${comment}| \`one\` | why | what |\n\n### Two\n\n| \`two\` | why | what |\n`;

  test('is in a comment below the heading, and is everywhere without one', () => {
    const textsAt = (place: 'everywhere' | 'node' | 'command') =>
      entriesOfPage(page('<!-- place: node -->\n\n'), place).flatMap(({ texts }) => texts);
    expect(textsAt('node')).toEqual(['one']);
    expect(textsAt('everywhere')).toEqual(['two']);
    expect(textsAt('command')).toEqual([]);
  });

  test('node keeps an entry out of Workers and embedded apps', () => {
    const hasNodeEntries = (entry: string) => reachedFrom(entry).has('src/http/page/node-error-entries.ts');
    expect(hasNodeEntries('src/cli.ts')).toBe(true);
    expect(hasNodeEntries('src/runtime/worker/entry.ts')).toBe(false);
    expect(hasNodeEntries('src/runtime/web/index.ts')).toBe(false);
  });

  test('is one that there is', () => {
    expect(() => entriesOfPage(page('<!-- place: nod -->\n\n'), 'node')).toThrow('"nod"');
  });
});

test('the code of the page loads at its first use: no other file of the program imports it at its start', () => {
  const others = program.filter((file) => !file.startsWith('src/http/page/'));
  const early = others.filter((file) => valueImports(file).some((from) => from.includes('/page/')));
  expect(early).toEqual([]);
  expect(textOf('src/http/page-loader.ts')).toContain("import('./page/page.ts')");
});

/** The files of the static imports of a file that are not of types alone. */
function valueImports(file: string): string[] {
  const statements = textOf(file).matchAll(/^(?:import|export)(?! type\b)\s[^;]*?\sfrom '([^']+)';/gm);
  return [...statements].map(([, from = '']) => from);
}

/** A file with those that it imports, directly or by others. */
function reachedFrom(entry: string): Set<string> {
  const reached = new Set([entry]);
  for (const file of reached) {
    for (const { from, to } of inside) if (from === file) reached.add(to);
  }
  return reached;
}
