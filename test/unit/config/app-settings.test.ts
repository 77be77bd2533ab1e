import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingNames } from '../../../src/config/settings.ts';
import { appSettings, appSettingsFile, ofOtherPrograms } from '../../support/docs/app-settings.ts';
import { root } from '../../support/house/sources.ts';

const file = readFileSync(join(root, appSettingsFile), 'utf8');

test('src/runtime/web/app-settings.ts is what `npm run config:types` writes', () => {
  expect(file).toBe(appSettings());
});

test('each setting is a member, or one of other programs', () => {
  const members = [...file.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
  expect([...members, ...ofOtherPrograms].toSorted()).toEqual(settingNames.toSorted());
});
