import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Digest, digestAlgorithm, digestHex, digestOf } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { limits } from '../../../converters/limits.ts';
import type { Descriptor } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { detectCompression } from '../../layers/compression.ts';
import { defaultDecompressionLimits } from '../../layers/decompression-limits.ts';
import { inspectLayer } from '../../layers/inspect.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import type { Io } from '../terminal/io.ts';

/** Content by digest, in files. */
export interface FileStore {
  /** The path of the file with this content; what is in it is not yet checked. */
  find(digest: Digest): string | undefined;
  readonly ports: Omit<ConversionPorts, 'signingKey'>;
}

/**
 * A folder that is an OCI layout, or has files named by the hex of their digest (skopeo's `dir:`), or small files of
 * any name; and files beside it.
 */
export function openFileStore(folder: string, files: readonly string[] = []): FileStore {
  const named = (digest: Digest) =>
    [join('blobs', digestAlgorithm(digest), digestHex(digest)), digestHex(digest)].map((name) =>
      join(folder, name),
    );
  const small = new Map<Digest, string>();
  let looked = false;

  function find(digest: Digest): string | undefined {
    const found = named(digest).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
    if (found !== undefined) return found;
    if (!looked)
      for (const path of [...files, ...filesIn(folder)]) small.set(digestOf(readFileSync(path)), path);
    looked = true;
    return small.get(digest);
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

/** Where the content of a manifest is, if nobody says: beside it, or in the layout that it is a blob of. */
export function folderOf(file: string): string {
  const folder = dirname(file);
  const layout = /^(.*)blobs[\\/][a-z0-9]+$/.exec(folder)?.[1];
  return layout === undefined ? folder : layout || '.';
}

/** What a command is given: `-` is standard input. @throws as `readDocument`. */
export async function readInput(file: string, io: Io): Promise<Uint8Array> {
  return file === '-' ? io.read() : readDocument(file);
}

/** A manifest or config. @throws the system's error; ConversionError LIMIT. */
function readDocument(file: string): Uint8Array {
  const found = statSync(file);
  if (found.isDirectory()) {
    throw new ConversionError({ code: 'UNREADABLE', message: `${file} is a folder, and a file is wanted` });
  }
  const { size } = found;
  if (size <= limits.documentBytes) return new Uint8Array(readFileSync(file));
  throw new ConversionError({
    code: 'LIMIT',
    message: `${file} is too large for a manifest or a config`,
    found: `${size} bytes`,
    expected: `at most ${limits.documentBytes}`,
  });
}

export function streamFile(path: string): ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
}

/** More files than this are not somebody's image. */
const mostFiles = 1000;

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
    message: `The content ${digest} is needed, and is not in ${folder}: name a folder that has it (--from)`,
  });
}
