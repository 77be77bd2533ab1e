import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variables as settingNames } from '../../src/config/schema.ts';
import { filesBelow } from '../support/docs/own-files.ts';
import { settingGroups } from '../support/docs/setting-rows.ts';
import { settingsPage } from '../support/docs/settings-page.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const readme = read('README.md');
const { scripts, engines } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

describe('the README', () => {
  test('is a front door: 200 lines at most', () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(200);
  });

  test('has the groups of settings, with one line each', () => {
    const groups = [...readme.matchAll(/^\| \[([^\]]+)\]\(docs\/settings\.md#/gm)].map((match) => match[1]);
    expect(groups).toEqual(settingGroups.map(({ title }) => title));
  });

  test('names no setting that there is not', () => {
    const named = [...readme.matchAll(/`(REGSHIFT_[A-Z0-9_]+)/g)].map((match) => match[1]);
    expect(named.filter((name) => !settingNames.includes(name?.replace(/_FILE$/, '') as never))).toEqual([]);
  });

  test('names no script that there is not', () => {
    const named = [...readme.matchAll(/^npm (?:run )?([a-z:]+)/gm)].map((match) => match[1] ?? '');
    const own = named.filter((name) => name !== 'ci');
    expect(own.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('the Node that regshift needs', () => {
  const root = join(import.meta.dirname, '../..');
  const needed = `Node ${engines.node.replace('>=', '')} or newer`;
  const pages = filesBelow(root, '').filter((path) =>
    /^(?:README|CONTRIBUTING|(?:docs|converters)\/.*|deploy\/.*)\.(?:md|service|env|yaml|yml|json)$/.test(
      path,
    ),
  );

  test('is named on the pages for people', () => {
    const naming = pages.filter((path) => read(path).includes(needed));
    expect(naming).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'deploy/systemd/regshift.service']),
    );
  });

  test.each(pages)('%s names no other one', (path) => {
    // npm itself runs on an older Node, and brings the newer one.
    const text = read(path).replaceAll('that works from Node 20 on', '');
    const named = text.match(/\bNode(?:\.js)? v?\d[\d.]*\d?(?: or \w+)?/g) ?? [];
    expect(named.filter((name) => name !== needed)).toEqual([]);
  });
});

describe('docs/settings.md', () => {
  test('is what `npm run config:docs` writes', () => {
    expect(read('docs/settings.md')).toBe(settingsPage());
  });

  test('has each setting once', () => {
    const named = settingGroups.flatMap(({ rows }) => rows.flatMap(({ variables }) => variables));
    expect(named.toSorted()).toEqual(settingNames.toSorted());
  });
});

test('docs/README.md leads to each page of docs/', () => {
  const pages = readdirSync(new URL('../../docs/', import.meta.url)).filter((name) => name.endsWith('.md'));
  const linked = [...read('docs/README.md').matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \| [^|]+\? ?[^|]*\|$/gm)];
  expect(linked.map((match) => match[1])).toEqual(
    expect.arrayContaining(pages.filter((name) => name !== 'README.md')),
  );
});
