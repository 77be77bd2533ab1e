/** Words for codes of system calls: Node's own text is like `ENOENT: no such file or directory, open 'x'`. */
const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EISDIR: 'this is a folder, but a file is needed',
  ENOTDIR: 'a part of this path is a file, but must be a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file is too large for this file system',
  ENAMETOOLONG: 'the name is too long',
};

/** Tells whether an error comes from a system call: a missing file, a port in use. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/**
 * Words a system error for people.
 * @param path the path that the user knows; undefined where there is none.
 */
export function systemErrorText(error: NodeJS.ErrnoException, path = error.path): string {
  const text = words[error.code ?? ''];
  if (path === undefined) return text ?? error.message;
  return `${path}: ${text ?? error.message}`;
}

/** A file or folder that a command cannot use. The message says which and why; the exit code is 1. */
export class FileError extends Error {
  override readonly name = 'FileError';
}
