import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { variables as settingNames } from '../../src/config/schema.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the README', () => {
  test.each(settingNames)('tells of the setting %s', (name) => {
    expect(readme).toContain(`\`${name}\``);
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
