import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, realpathSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { removeAtEnd } from '../images/remove-at-end.ts';
import { FileError, isOfSystem, systemErrorText } from '../system-error.ts';
import type { ArchiveSink } from './archive-writer.ts';

/** The file that an archive is written into. */
export interface ArchiveFile {
  readonly sink: ArchiveSink;
  /** Removes what was written, unless the archive is complete. */
  close(): Promise<void>;
}

/**
 * Opens the file for an archive, before anything is downloaded. It gets its name after its last byte, so that a save that
 * fails leaves an older archive as it is. A device or a pipe is written directly.
 * @throws FileError, which names the path that the user asked for.
 */
export async function openArchiveFile(path: string): Promise<ArchiveFile> {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() || /[\\/]$/.test(path)) {
      throw new FileError(`${path} names a folder. Name a file in it: -o ${join(path, 'image.tar')}`);
    }
    if (found && !found.isFile()) return deviceFile(path);
    // A link stays one: the file that it leads to is replaced.
    return await newFile(path, found ? realpathSync(path) : path);
  } catch (error) {
    throw named(error, path);
  }
}

function deviceFile(path: string): ArchiveFile {
  const sink: ArchiveSink = (chunks) =>
    pipeline(chunks, createWriteStream(path)).catch((error: unknown) => {
      throw named(error, path);
    });
  return { sink, close: async () => {} };
}

async function newFile(path: string, target: string): Promise<ArchiveFile> {
  // A name has 255 bytes at most, and that of the archive may have them; a character has four at most.
  const begin = [...basename(target)].slice(0, 60).join('');
  const part = join(dirname(target), `.${begin}.${randomUUID().slice(0, 8)}.part`);
  const file = await open(part, 'wx');
  const forget = removeAtEnd(part);
  return {
    async sink(chunks) {
      try {
        await pipeline(chunks, file.createWriteStream());
        await rename(part, target);
      } catch (error) {
        throw named(error, path);
      }
    },
    async close() {
      forget();
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

/** Names the path of the user in an error: its own path is that of an unfinished file, or there is none. */
function named(error: unknown, path: string): unknown {
  if (!isOfSystem(error)) return error;
  const folder = dirname(path);
  const text = existsSync(folder)
    ? systemErrorText(error, path)
    : `${path} cannot be written: there is no folder ${folder}.`;
  return new FileError(text, { cause: error });
}
