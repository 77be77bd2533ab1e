import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { concatenate } from '../../converters/bytes.ts';

/** An image as Docker has it after it has loaded an archive. */
export interface LoadedImage {
  /** Newest first. */
  readonly ids: readonly string[];
  readonly json: ReadonlyMap<string, string>;
  /** The layers by id, as they are in the archive. */
  readonly layers: ReadonlyMap<string, Uint8Array>;
}

/** The entry of an archive: its content, and the facts that its header has. */
export interface ArchiveEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly time: number;
  readonly content: Uint8Array;
}

/** Reads all entries of a tar, in order. */
export async function readArchive(file: string): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const tar = extract();
  tar.on('entry', (header, stream, next) => {
    const chunks: Uint8Array[] = [];
    stream.on('data', (chunk) => chunks.push(chunk as Uint8Array));
    stream.on('end', () => {
      const { name, type, mtime } = header;
      const content = concatenate(chunks);
      entries.push({ name, isFolder: type === 'directory', time: mtime.getTime(), content });
      next();
    });
  });
  await pipeline(createReadStream(file), tar as unknown as NodeJS.WritableStream);
  return entries;
}

/**
 * Loads an archive as Docker 1.9 does (graph/load.go): each folder is an image with `json` and `layer.tar`, whose parent is
 * loaded first, and `repositories` gives names to ids. With the checks of image/spec/v1.md beside them: `VERSION` is 1.0.
 * @returns the images by their names, like `busybox:latest`.
 * @throws Error where the engine fails.
 */
export async function loadV1Archive(file: string): Promise<ReadonlyMap<string, LoadedImage>> {
  const entries = await readArchive(file);
  const files = new Map(entries.map(({ name, content }) => [name.replace(/\/$/, ''), content]));
  const text = (name: string) => new TextDecoder('utf-8', { fatal: true }).decode(need(files, name));
  const folders = entries.flatMap(({ name, isFolder }) => (isFolder ? [name.replace(/\/$/, '')] : []));
  const images = new Map<string, { readonly parent: string | undefined; readonly json: string }>();

  function load(folder: string): void {
    const json = text(`${folder}/json`);
    need(files, `${folder}/layer.tar`);
    if (text(`${folder}/VERSION`) !== '1.0') throw new Error(`${folder} has another version`);
    const { id, parent } = JSON.parse(json) as { id: string; parent?: string };
    if (!/^[a-f0-9]{64}$/.test(id) || id !== folder) throw new Error(`${id} is no id of ${folder}`);
    if (parent && !images.has(parent)) load(parent);
    images.set(id, { parent: parent || undefined, json });
  }

  function image(top: string): LoadedImage {
    const ids: string[] = [];
    for (let id: string | undefined = top; id !== undefined; id = images.get(id)?.parent) {
      if (!images.has(id)) throw new Error(`there is no image ${id}`);
      ids.push(id);
    }
    return {
      ids,
      json: new Map(ids.map((id) => [id, images.get(id)?.json ?? ''])),
      layers: new Map(ids.map((id) => [id, need(files, `${id}/layer.tar`)])),
    };
  }

  for (const folder of folders) if (!images.has(folder)) load(folder);
  const repositories = JSON.parse(text('repositories')) as Record<string, Record<string, string>>;
  const named = Object.entries(repositories).flatMap(([name, tags]) =>
    Object.entries(tags).map(([tag, id]) => [`${name}:${tag}`, image(id)] as const),
  );
  return new Map(named);
}

function need(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const content = files.get(name);
  if (content === undefined) throw new Error(`the archive has no ${name}`);
  return content;
}
