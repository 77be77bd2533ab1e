import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compileCacheFolder } from '../../src/compile-cache.js';
import { projectRoot } from '../support/wrangler.ts';

const user = process.getuid?.() ?? -1;
const another = 65_534;

function emptyFolder(mode = 0o700): string {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-compiled-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, mode);
  return folder;
}

function made(folder: string, mode: number): string {
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

const isPrivate = (folder: string) => (lstatSync(folder).mode & 0o777) === 0o700;

describe.skipIf(user === -1)('the folder of the compile cache', () => {
  it('is made in the user’s folder for caches, for this user alone', () => {
    const home = emptyFolder();
    const folder = compileCacheFolder({ HOME: home }, emptyFolder(), user);
    expect(folder).toBe(join(home, '.cache/regshift'));
    expect(isPrivate(join(home, '.cache/regshift'))).toBe(true);
    const caches = emptyFolder();
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: caches }, home, user)).toBe(
      join(caches, 'regshift'),
    );
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: 'relative' }, caches, user)).toBe(folder);
  });

  it('is made in a shared folder for temporary files if there is no home', () => {
    const temporary = emptyFolder(0o1777);
    for (const HOME of [undefined, '', 'relative', join(temporary, 'missing/home')]) {
      const folder = join(temporary, `regshift-${user}`);
      expect(compileCacheFolder({ HOME }, temporary, user)).toBe(folder);
      expect(isPrivate(folder)).toBe(true);
    }
  });

  it.each([
    ['others can write to', (path: string) => made(path, 0o702)],
    ['the group can write to', (path: string) => made(path, 0o720)],
    ['is a link', (path: string) => symlinkSync(emptyFolder(), path)],
  ])('is none that %s', (_name, plant) => {
    const temporary = emptyFolder(0o1777);
    plant(join(temporary, `regshift-${user}`));
    expect(compileCacheFolder({}, temporary, user)).toBeUndefined();
  });

  it('is none that others can replace', () => {
    const shared = emptyFolder(0o777);
    expect(compileCacheFolder({}, shared, user)).toBeUndefined();
    expect(compileCacheFolder({}, made(join(shared, 'below'), 0o700), user)).toBeUndefined();
  });

  it.runIf(user === 0)('is none of another user, nor in a folder of another user', () => {
    const temporary = emptyFolder(0o1777);
    chownSync(made(join(temporary, `regshift-${user}`), 0o700), another, another);
    expect(compileCacheFolder({}, temporary, user)).toBeUndefined();
    const home = emptyFolder();
    chownSync(home, another, another);
    expect(compileCacheFolder({ HOME: home }, join(temporary, 'missing', 'folder'), user)).toBeUndefined();
  });
});

describe.skipIf(user === -1)('the program', () => {
  async function start(env: Record<string, string>) {
    const args = [join(projectRoot, 'src/start.js'), '--version'];
    await promisify(execFile)(process.execPath, args, { env });
  }

  it('keeps compiled code in this folder, and never in the shared one of Node', async () => {
    const TMPDIR = emptyFolder(0o1777);
    await start({ TMPDIR });
    expect(readdirSync(TMPDIR)).toEqual([`regshift-${user}`]);
    expect(readdirSync(join(TMPDIR, `regshift-${user}`))).toHaveLength(1);
  });

  it('has no cache if the folder is not safe', async () => {
    const TMPDIR = emptyFolder(0o1777);
    const planted = made(join(TMPDIR, `regshift-${user}`), 0o777);
    await start({ TMPDIR });
    expect(readdirSync(TMPDIR)).toEqual([`regshift-${user}`]);
    expect(readdirSync(planted)).toEqual([]);
  });

  it('takes the folder of NODE_COMPILE_CACHE', async () => {
    const [TMPDIR, chosen] = [emptyFolder(), emptyFolder()];
    await start({ TMPDIR, NODE_COMPILE_CACHE: chosen });
    expect(readdirSync(TMPDIR)).toEqual([]);
    expect(readdirSync(chosen)).toHaveLength(1);
  });
});
