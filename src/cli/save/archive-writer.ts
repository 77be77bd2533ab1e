import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type Header, type Pack, pack } from 'tar-stream';
import type { SpooledFile } from '../images/layer-spool.ts';

/**
 * Writes a tar whose bytes depend on its content alone: entries in the order of the calls, without times and owners. A
 * header has the size of its file, so the caller knows the size before it writes the content.
 */
export interface ArchiveWriter {
  folder(name: string): Promise<void>;
  bytes(name: string, content: Uint8Array | string): Promise<void>;
  file(name: string, file: Pick<SpooledFile, 'path' | 'size'>): Promise<void>;
  /** @throws the error of the content; an error if it has another size. */
  stream(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Receives the bytes of an archive. */
export type ArchiveSink = (chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/** Times of an archive differ from run to run, and Docker takes the times of an image from its config. */
const noTime = new Date(0);

/**
 * Writes an archive into a sink, which slows the writer down.
 * @throws the first error of the writer or of the sink.
 */
export async function writeArchive(
  sink: ArchiveSink,
  write: (archive: ArchiveWriter) => Promise<void>,
): Promise<void> {
  const tar = pack();
  const writing = write(writerOf(tar)).then(
    () => tar.finalize(),
    (error: unknown) => {
      tar.destroy(error as Error);
      throw error;
    },
  );
  const reading = sink(tar as AsyncIterable<Uint8Array>);
  // The writer's error is also that of the tar, which the sink fails with.
  const [written, read] = await Promise.allSettled([writing, reading.catch(endOf(tar))]);
  if (written.status === 'rejected') throw written.reason;
  if (read.status === 'rejected') throw read.reason;
}

/** Ends the tar with the error of its sink, so that the writer does not wait for it. */
function endOf(tar: Pack): (error: Error) => never {
  return (error) => {
    tar.destroy(error);
    throw error;
  };
}

function writerOf(tar: Pack): ArchiveWriter {
  async function add(
    header: Pick<Header, 'name' | 'type'> & { readonly size?: number },
    content?: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = tar.entry({ ...header, mtime: noTime }, (error) => (error ? reject(error) : resolve()));
    promise.catch(() => undefined);
    if (content === undefined) return promise;
    for await (const bytes of content) {
      if (!entry.write(bytes)) await Promise.race([once(entry, 'drain'), promise]);
    }
    entry.end(undefined);
    return promise;
  }

  const stream: ArchiveWriter['stream'] = (name, size, content) => add({ name, size, type: 'file' }, content);
  return {
    folder: (name) => add({ name: `${name}/`, type: 'directory' }),
    bytes(name, content) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return stream(name, bytes.length, chunkOf(bytes));
    },
    file: (name, { path, size }) => stream(name, size, createReadStream(path)),
    stream,
  };
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
