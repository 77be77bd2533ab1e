import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  anchorsOf,
  brokenLinks,
  linksOf,
  namedPages,
  type Pages,
  reachedFrom,
} from '../support/docs/links.ts';
import { filesBelow } from '../support/docs/own-files.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const isFile = (path: string) => existsSync(join(root, path));
const pages: Pages = new Map(filesBelow(root, '.md').map((path) => [path, read(path)]));

describe('the links of all pages', () => {
  test('lead to files and headings that are there', () => {
    expect(pages.size).toBeGreaterThan(25);
    expect(brokenLinks(pages, isFile)).toEqual([]);
  });

  const starts = ['README.md', 'docs/README.md'].filter((start) => pages.has(start));
  test.each(starts)('lead from %s to each page of docs/ and deploy/', (start) => {
    const reached = reachedFrom(start, pages);
    const guides = [...pages.keys()].filter((path) => /^(?:docs|deploy)\//.test(path));
    expect(guides.filter((path) => !reached.has(path))).toEqual([]);
  });

  test('messages, comments and files of settings name pages and headings that are there', () => {
    const files = ['src', 'converters', 'deploy'].flatMap((folder) =>
      filesBelow(join(root, folder), '').map((path) => join(folder, path)),
    );
    const texts = new Map(files.filter((path) => !path.endsWith('.md')).map((path) => [path, read(path)]));
    const wrong = [...texts].flatMap(([file, text]) =>
      namedPages(text)
        .filter(({ path, anchor }) => !isNamedRightly(path, anchor))
        .map(({ target }) => `${file}: ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});

/** Sources of other projects, which comments name by their own paths. */
const foreign = [
  'docs/AAD-OAuth.md',
  'docs/attestations/attestation-storage.md',
  'docs/spec/manifest-v2-2.md',
];

function isNamedRightly(path: string, anchor: string | undefined): boolean {
  if (foreign.includes(path)) return true;
  const page = pages.get(path);
  return page !== undefined && (anchor === undefined || anchorsOf(page).has(anchor));
}

describe('the check of links', () => {
  const page = [
    '# A page',
    '## Its `--option`, and more',
    '## Twice',
    '## Twice',
    'See [this](other.md#a-part), [that](<other.md>), [self](#twice-1) and [all][all].',
    '[all]: ../README.md',
    '<a id="named"></a> <img src="images/none.png"> <a href="other.md#none">x</a>',
    '`[no link](in-code.md)`',
    '```md\n## No heading\n[no link](in-fence.md)\n```',
    '[outside](https://example.com/x.md) and [mail](mailto:a@example.com)',
  ].join('\n');
  const other = '# Other\n## A part\n[back](page.md)';
  const own: Pages = new Map([
    ['docs/page.md', page],
    ['docs/other.md', other],
    ['docs/lonely.md', '# Lonely'],
  ]);

  test('finds links of every form, and none in code', () => {
    expect(linksOf('docs/page.md', page).map(({ path, anchor }) => [path, anchor])).toEqual([
      ['docs/other.md', 'a-part'],
      ['docs/other.md', undefined],
      ['docs/page.md', 'twice-1'],
      ['README.md', undefined],
      ['docs/images/none.png', undefined],
      ['docs/other.md', 'none'],
    ]);
  });

  test('knows the anchors of GitHub', () => {
    expect([...anchorsOf(page)]).toEqual(['a-page', 'its---option-and-more', 'twice', 'twice-1', 'named']);
  });

  test('reports files and headings that are not there', () => {
    const files = ['docs/page.md', 'docs/other.md', 'README.md'];
    expect(brokenLinks(own, (path) => files.includes(path))).toEqual([
      'docs/page.md: images/none.png',
      'docs/page.md: other.md#none',
    ]);
  });

  test('knows which pages are reached', () => {
    expect([...reachedFrom('docs/other.md', own)]).toEqual(['docs/other.md', 'docs/page.md']);
  });

  test('finds pages that a text names', () => {
    const text = "throw new Error('see docs/store.md#limits, or deploy/x/y.md'); // x/docs/no.md";
    expect(namedPages(text).map(({ path, anchor }) => [path, anchor])).toEqual([
      ['docs/store.md', 'limits'],
      ['deploy/x/y.md', undefined],
    ]);
  });
});
