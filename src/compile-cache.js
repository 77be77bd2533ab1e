// This file is plain JavaScript: it runs before the compile cache is on, and must not load Node's type stripper.
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/**
 * Turns on Node's compile cache in a folder that only the process's user can write to: Node runs the code that it
 * finds there. Node's own default, `node-compile-cache` in the folder for temporary files, may belong to another user.
 * Without a safe folder, there is no cache. Node reads NODE_COMPILE_CACHE itself, before this runs.
 */
export function enableOwnCompileCache() {
  if (getCompileCacheDir() !== undefined) return;
  // Windows has no numbers for users, and a folder for temporary files per user.
  const user = process.getuid?.();
  if (user === undefined) return void enableCompileCache();
  const folder = compileCacheFolder(process.env, tmpdir(), user);
  if (folder !== undefined) enableCompileCache(folder);
}

/**
 * Finds or makes the folder of the compile cache: `regshift` in the user's folder for caches (XDG Base Directory
 * Specification), otherwise `regshift-<user>` in the folder for temporary files.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} temporary the folder for temporary files.
 * @param {number} user the number of the process's user.
 * @returns {string | undefined} undefined if neither is safe.
 */
export function compileCacheFolder({ XDG_CACHE_HOME: caches = '', HOME: home = '' }, temporary, user) {
  const own = isAbsolute(caches) ? caches : isAbsolute(home) ? join(home, '.cache') : undefined;
  return (own && safeFolder(own, 'regshift', user)) ?? safeFolder(temporary, `regshift-${user}`, user);
}

/**
 * @param {string} parent made if it is missing and its own parent exists.
 * @param {string} name
 * @param {number} user
 */
function safeFolder(parent, name, user) {
  try {
    make(parent);
    const folder = join(realpathSync(parent), name);
    make(folder);
    const { uid, mode } = lstatSync(folder);
    // S_IFDIR: a link is no folder.
    const isOwn = (mode & 0o170000) === 0o040000 && uid === user && (mode & 0o022) === 0;
    return isOwn && isOutOfReach(folder, user) ? folder : undefined;
  } catch {
    // The folder is neither there nor can it be made.
    return undefined;
  }
}

/** @param {string} folder */
function make(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
}

/**
 * Tells whether no other user but root can put another folder in this place.
 * @param {string} folder an absolute path without links.
 * @param {number} user
 * @returns {boolean}
 */
function isOutOfReach(folder, user) {
  const parent = dirname(folder);
  if (parent === folder) return true;
  const { uid, mode } = lstatSync(parent);
  // In a folder with the sticky bit, only the owner of an entry can rename it.
  const isShared = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  return (uid === 0 || uid === user) && !isShared && isOutOfReach(parent, user);
}
