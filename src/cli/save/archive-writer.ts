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
  // Each error is thrown below; as an event without a listener it would end the process.
  tar.on('error', () => undefined);
  let cause: unknown;
  let closed: unknown;
  const writing = write(writerOf(tar)).then(
    () => tar.finalize(),
    (error: unknown) => {
      // After an error of the sink, the writer has only that of a tar that is closed.
      if (tar.destroying) closed = error;
      else cause = error;
      tar.destroy(error as Error);
    },
  );
  const reading = sink(tar as AsyncIterable<Uint8Array>).catch((error: unknown) => {
    cause ??= error;
    tar.destroy(error as Error);
  });
  await Promise.all([writing, reading]);
  cause ??= closed;
  if (cause !== undefined) throw cause;
}

function writerOf(tar: Pack): ArchiveWriter {
  async function add(
    header: Pick<Header, 'name' | 'type'> & { readonly size?: number },
    content?: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = tar.entry({ ...header, mtime: noTime }, (error) => (error ? reject(error) : resolve()));
    promise.catch(() => undefined);
    entry.on('error', () => undefined);
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
