import {
  closeSync,
  createReadStream,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { concatenate } from '../../../converters/bytes.ts';
import { type Digest, digestHex, digestOf } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { limits } from '../../../converters/limits.ts';
import type { Descriptor } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { detectCompression } from '../../layers/compression.ts';
import { defaultDecompressionLimits } from '../../layers/decompression-limits.ts';
import { inspectLayer } from '../../layers/inspect.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import type { Io } from '../terminal/io.ts';
import { layoutPath } from './layout-path.ts';
import { isFile, refuseArchive } from './manifest-file.ts';

/** Finds content in files by its digest. */
export interface FileStore {
  /** Returns the path of the file that should have this content. The content is not verified. */
  find(digest: Digest): string | undefined;
  readonly ports: Omit<ConversionPorts, 'signingKey'>;
}

/**
 * Opens a folder as a store. The folder is an OCI layout, or has files named by the hex of their digest (skopeo's
 * `dir:`), or has documents with any names.
 * @param files more files, outside of the folder.
 */
export function openFileStore(folder: string, files: readonly string[] = []): FileStore {
  const documents = new Map<Digest, string>();
  let hashed = false;

  function find(digest: Digest): string | undefined {
    const found = [layoutPath(digest), digestHex(digest)].map((name) => join(folder, name)).find(isFile);
    if (found !== undefined) return found;
    if (!hashed)
      for (const path of [...files, ...filesIn(folder)]) documents.set(digestOf(readFileSync(path)), path);
    hashed = true;
    return documents.get(digest);
  }

  const get = ({ digest }: Descriptor): string => find(digest) ?? missing(digest, folder);
  return {
    find,
    ports: {
      fetchManifest: async (descriptor) => readDocument(get(descriptor)),
      fetchBlob: async (descriptor) => readDocument(get(descriptor)),
      sniffLayer: async (layer) => {
        const { compression, compressed } = await detectCompression(
          streamFile(get(layer)),
          `layer ${layer.digest}`,
        );
        await compressed.cancel();
        return compression;
      },
      layerFacts: async (layer) =>
        inspectLayer(streamFile(get(layer)), {
          codec: createNodeLayerCodec(),
          limits: defaultDecompressionLimits,
          digest: layer.digest,
        }),
    },
  };
}

/** Returns the default folder for the content of a manifest: the OCI layout that it is a blob of, or its own folder. */
export function folderOf(file: string): string {
  const folder = dirname(file);
  const layout = /^(.*)blobs[\\/][a-z0-9]+$/.exec(folder)?.[1];
  return layout === undefined ? folder : layout || '.';
}

/** Reads a command's file argument; `-` is standard input. @throws as `readDocument` and `refuseArchive`. */
export async function readInput(file: string, io: Io): Promise<Uint8Array> {
  const isInput = file === '-';
  const bytes = isInput ? await io.read(mostBytes) : readFile(file);
  const name = isInput ? 'standard input' : file;
  refuseArchive(bytes, name);
  return bounded(bytes, name);
}

const mostBytes = limits.documentBytes;

/** Reads a manifest or config. @throws a system error; ConversionError UNREADABLE for a folder, LIMIT above 4 MiB. */
function readDocument(file: string): Uint8Array {
  return bounded(readFile(file), file);
}

/** Reads a file up to the first byte that is too much. */
function readFile(file: string): Uint8Array {
  if (statSync(file).isDirectory()) {
    throw new ConversionError({ code: 'UNREADABLE', message: `${file} is a folder, but a file is needed` });
  }
  return readFirst(file, mostBytes + 1);
}

/** Reads the first bytes of a file: a device tells no size, and may have no end. */
function readFirst(file: string, most: number): Uint8Array {
  const fd = openSync(file, 'r');
  try {
    const pieces: Uint8Array[] = [];
    for (let length = 0; length < most; ) {
      const piece = new Uint8Array(Math.min(most - length, 65_536));
      const read = readSync(fd, piece);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
      length += read;
    }
    return concatenate(pieces);
  } finally {
    closeSync(fd);
  }
}

function bounded(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes.length <= mostBytes) return bytes;
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  throw tooLarge(file, size > mostBytes ? `${size} bytes` : 'more');
}

function tooLarge(file: string, found: string): ConversionError {
  return new ConversionError({
    code: 'LIMIT',
    message: `${file} is too large for a manifest or a config`,
    found,
    expected: `at most ${mostBytes} bytes`,
  });
}

/** Streams a file from disk. @param options.start the offset of the first byte. */
export function streamFile(path: string, options: { start?: number } = {}): ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(path, options)) as ReadableStream<Uint8Array>;
}

/** Most entries of a folder to hash; an image has fewer. */
const mostFiles = 1000;

/** Lists the files of a folder that are small enough to be a manifest or config. */
function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .slice(0, mostFiles)
    .map((name) => join(folder, name))
    .filter((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found?.isFile() && found.size <= limits.documentBytes;
    });
}

function missing(digest: Digest, folder: string): never {
  throw new ConversionError({
    code: 'UNAVAILABLE',
    message: `${digest} is needed, but is not in ${folder}: name a folder that has it (--from)`,
  });
}
