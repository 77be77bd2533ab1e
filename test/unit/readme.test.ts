import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { variables as settingNames } from '../../src/config/schema.ts';
import { settingGroups } from '../support/docs/setting-rows.ts';
import { settingsPage } from '../support/docs/settings-page.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const readme = read('README.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

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
