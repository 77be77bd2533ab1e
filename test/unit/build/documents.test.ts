import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packedDocuments, withPublicLinks } from '../../../build/documents.ts';
import { brokenLinks, linksOf } from '../../support/docs/links.ts';
import { projectRoot } from '../../support/wrangler.ts';

const project = { version: '1.2.3', repository: { url: 'git+https://github.com/acme/regshift.git' } };
const address = 'https://github.com/acme/regshift';

test('each relative link of a packed document leads to a packed file', () => {
  const documents = packedDocuments(project);
  const pages = new Map(documents.map(({ path, text }) => [path, text]));
  expect(pages.size).toBeGreaterThan(25);
  expect([...pages].flatMap(([path, text]) => linksOf(path, text)).length).toBeGreaterThan(100);
  expect(brokenLinks(pages, (path) => pages.has(path))).toEqual([]);
});

test('each link to the public address leads to a file of the project', () => {
  const text = packedDocuments(project)
    .map((document) => document.text)
    .join('\n');
  const paths = [...text.matchAll(/github\.com\/acme\/regshift\/(?:raw|blob|tree)\/v1\.2\.3\/([^)#\s">]+)/g)];
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter(([, path = '']) => !existsSync(join(projectRoot, path)))).toEqual([]);
});

test.each([
  ['[a](tour.md#x)', '[a](tour.md#x)'],
  ['[a](#x)', '[a](#x)'],
  ['[a](https://example.com/deploy)', '[a](https://example.com/deploy)'],
  ['[a](../deploy/cloudflare.md#kv)', `[a](${address}/blob/v1.2.3/deploy/cloudflare.md#kv)`],
  ['[a](<../SECURITY.md>)', `[a](<${address}/blob/v1.2.3/SECURITY.md>)`],
  ['[a](../deploy/clients)', `[a](${address}/tree/v1.2.3/deploy/clients)`],
  ['![a](images/page-image.png)', `![a](${address}/raw/v1.2.3/docs/images/page-image.png)`],
  ['[a]: ../SECURITY.md', `[a]: ${address}/blob/v1.2.3/SECURITY.md`],
  ['<a href="../SECURITY.md">', `<a href="${address}/blob/v1.2.3/SECURITY.md">`],
])('the link %s becomes %s', (text, expected) => {
  const packed = new Set(['docs/page.md', 'docs/tour.md']);
  expect(withPublicLinks({ path: 'docs/page.md', text }, packed, project)).toBe(expected);
});
