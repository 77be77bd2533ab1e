import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pageScript, pageStyle } from '../../../../src/http/page/browser-files.ts';
import { errorEntries } from '../../../../src/http/page/error-entries.ts';
import { findErrors } from '../../../../src/http/page/error-search.ts';
import { program, root, textOf } from '../../../support/house/sources.ts';
import { compactScript, compactStyle, entriesOfPage } from '../../../support/page-files.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the generated files of the page', () => {
  test('are of today: run `npm run page:files`', () => {
    expect(pageScript).toBe(compactScript(read('src/http/page/browser/page.js')));
    expect(pageStyle).toBe(compactStyle(read('src/http/page/browser/page.css')));
    expect(errorEntries).toEqual(entriesOfPage(read('docs/errors.md')));
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
  const messages = errorEntries.flatMap(({ texts }) => texts.filter((each) => each.length > 20));

  test.each(messages)('%s leads to its entry', (message) => {
    const seen = `Error response from daemon: ${message.replaceAll('…', 'xyz')}`;
    expect(findErrors(seen).entries.flatMap(({ texts }) => texts)).toContain(message);
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
