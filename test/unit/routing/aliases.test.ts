import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { readSettings } from '../../../src/config/settings.ts';

const read = (text: string) => readSettings({ REGSHIFT_ALIASES: text });
const name = (text: string) => text as RepositoryName;

describe('REGSHIFT_ALIASES', () => {
  it('names repositories by aliases', () => {
    const settings = read(' tools/build=team/tools/build.image,\n\tbase=team/base ');
    if ('problems' in settings) throw new Error(JSON.stringify(settings.problems));
    const { realName, aliasOf } = settings.settings.REGSHIFT_ALIASES;
    expect(realName(name('tools/build'))).toBe('team/tools/build.image');
    expect(realName(name('base'))).toBe('team/base');
    expect(realName(name('team/base'))).toBe('team/base');
    expect(aliasOf(name('team/base'))).toBe('base');
    expect(aliasOf(name('base'))).toBeUndefined();
  });

  it('names none if it is not set', () => {
    const settings = readSettings({});
    if ('problems' in settings) throw new Error('a problem');
    expect(settings.settings.REGSHIFT_ALIASES.realName(name('a/b'))).toBe('a/b');
  });

  it.each([
    ['short', /"short" is not two repository names with = between them/],
    ['Short=a/b', /"Short=a\/b" is not two/],
    ['a=b=c', /"a=b=c" is not two/],
    ['a=', /"a=" is not two/],
    ['a=b,a=c', /"a" is there twice/],
    ['a=b,b=c', /"b" is itself an alias/],
    ['a=a', /"a" is itself an alias/],
    [',', /there is no pair in it/],
    ['x,y=', /"x" is not two.*; "y=" is not two/],
  ])('%j is refused with a reason', (text, message) => {
    const settings = read(text);
    expect(settings).toMatchObject({
      problems: [
        {
          variable: 'REGSHIFT_ALIASES',
          value: JSON.stringify(text),
          message: expect.stringMatching(message),
        },
      ],
    });
  });
});
