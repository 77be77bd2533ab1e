import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFile } from '../../../../src/runtime/node/files.ts';
import { temporaryFolder } from '../../../support/cli.ts';

function messageOf(path: string, beside?: string): string {
  try {
    return readFile(path, beside);
  } catch (error) {
    return (error as Error).message;
  }
}

it.each([
  ['/etc/regshift-of-nobody/password', '/etc/regshift-of-nobody/password does not exist (ENOENT)'],
  ['signing-key-of-nobody.pem', `${process.cwd()}/signing-key-of-nobody.pem does not exist (ENOENT)`],
  ['./password-of-nobody', `${process.cwd()}/password-of-nobody does not exist (ENOENT)`],
  ['src/password-of-nobody', `${process.cwd()}/src/password-of-nobody does not exist (ENOENT)`],
  ['/etc/hosts/password', '/etc/hosts/password does not exist (ENOTDIR)'],
])('the message for %s shows the path', (path, message) => {
  expect(messageOf(path)).toBe(`a file of the settings cannot be read: ${message}`);
});

it('a folder is named, and a path is relative to the file that names it', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'keys'));
  writeFileSync(join(folder, 'keys/key'), 'text');
  expect(messageOf('keys/key', join(folder, 'regshift.yaml'))).toBe('text');
  expect(messageOf('keys/other', join(folder, 'regshift.yaml'))).toContain(
    `: ${folder}/keys/other does not exist`,
  );
  expect(messageOf(folder)).toContain(`: ${folder} is a folder (EISDIR)`);
});

it.each([false, true])(
  'the byte order mark of Windows is no part of a text, at a later read: %s',
  (isAgain) => {
    const path = join(temporaryFolder(), 'password.txt');
    writeFileSync(path, '\uFEFFsecret\r\n');
    expect(readFile(path, undefined, isAgain)).toBe('secret\r\n');
  },
);

it.each([
  'MHcCAQEEIsecret',
  'MHcCAQEE/Isecret',
  '/wEPsecret/abc',
  'hunter2',
  '/hunter2',
  'correct horse/battery',
])('the message for %s does not show it: it may be a secret', (secret) => {
  expect(messageOf(secret)).toBe('a file of the settings cannot be read (ENOENT)');
});
