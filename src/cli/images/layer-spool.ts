import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { callsBounded } from '../../../converters/concurrency.ts';
import { type Digest, digestHex } from '../../../converters/digest.ts';
import type { GzipLayer, LayerFacts } from '../../../converters/ports.ts';
import { systemClock } from '../../clock.ts';
import { defaultDecompressionLimits } from '../../layers/decompression-limits.ts';
import { inspectLayer } from '../../layers/inspect.ts';
import { createNodeLayerCodec } from '../../runtime/node/layers/codec.ts';
import { fetchBlob } from '../../upstream/api/blobs.ts';
import { FileError, isOfSystem, systemErrorText } from '../system-error.ts';
import type { Io } from '../terminal/io.ts';
import { createTransferProgress, type TransferProgress } from '../terminal/transfer-progress.ts';
import type { OpenImage } from './open-image.ts';
import { removeAtEnd } from './remove-at-end.ts';

/** A file of the spool, whose content is verified. */
export interface SpooledFile {
  readonly path: string;
  readonly digest: Digest;
  /** Bytes of the file. */
  readonly size: number;
  /** The layer that it is made from. */
  readonly layer: Digest;
}

/**
 * The plain tars of layers, in temporary files. A layer is downloaded once: a manifest needs the digest and a tar header
 * the size before the first byte of it can be sent, and memory does not hold a layer.
 */
export interface LayerSpool {
  /**
   * Downloads and decompresses a layer, once for each digest, and verifies it.
   * @returns the facts of the layer, and its tar.
   * @throws RegistryError as `inspectLayer`; FileError if the folder cannot be made, or the disk is full.
   */
  tar(layer: Digest): Promise<SpooledTar>;
  /** The tar with this digest, or else of the layer with it: a converted manifest names a zstd layer by its tar. */
  named(digest: Digest): Promise<SpooledFile>;
  /** Compresses the tar of a layer with gzip, once for each digest. @throws as `tar`. */
  gzip(layer: Digest): Promise<SpooledFile & GzipLayer>;
  /** The file with a digest, if the spool has made it. */
  find(digest: Digest): SpooledFile | undefined;
  /** Removes a file that is not needed any more. */
  remove(file: SpooledFile): Promise<void>;
  /** Removes all files. */
  close(): Promise<void>;
}

export interface SpooledTar extends SpooledFile {
  readonly facts: LayerFacts;
}

/** Layers that are downloaded at the same time, as by Docker (moby, daemon/config/config.go, `DefaultMaxConcurrentDownloads`). */
const parallelDownloads = 3;

/**
 * Makes an empty spool, which makes a folder of its own (TMPDIR) for its first file: most copies need none, and a container
 * may have no folder that can be written to.
 * @param onRead called with the number of compressed bytes of each step of a download.
 */
export function createLayerSpool(
  { registry, name, plain: { context } }: OpenImage,
  onRead: (bytes: number) => void,
): LayerSpool {
  let made: SpoolFolder | undefined;
  const files = new Map<Digest, SpooledFile>();
  const tars = new Map<Digest, Promise<SpooledTar>>();
  const gzips = new Map<Digest, Promise<SpooledFile>>();
  const bounded = callsBounded(parallelDownloads);
  const codec = createNodeLayerCodec();

  async function download(layer: Digest): Promise<SpooledTar> {
    made ??= makeFolder();
    const path = join(made.path, digestHex(layer));
    const { body } = await fetchBlob(registry.client, name, layer, context, { what: 'layer' });
    let read = 0;
    const file = await open(path, 'w').catch(async (error: unknown) => {
      await body.cancel().catch(() => undefined);
      throw error;
    });
    try {
      const facts = await inspectLayer(body, {
        codec,
        limits: defaultDecompressionLimits,
        digest: layer,
        onRead(compressed) {
          onRead(compressed - read);
          read = compressed;
        },
        onContent: (bytes) => file.writeFile(bytes),
      });
      return keep({ path, layer, digest: facts.diffId, size: facts.size, facts });
    } finally {
      await file.close();
    }
  }

  async function compress(layer: Digest): Promise<SpooledFile> {
    const { path: tar } = await spool.tar(layer);
    const path = `${tar}.gz`;
    const hash = createHash('sha256');
    let size = 0;
    const hashed = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const bytes of chunks) {
        hash.update(bytes);
        size += bytes.length;
        yield bytes;
      }
    };
    await pipeline(createReadStream(tar), createGzip(), hashed, createWriteStream(path));
    return keep({ path, layer, digest: `sha256:${hash.digest('hex')}` as Digest, size });
  }

  /** Two layers may have the same tar. The first file of a digest is the one to find, until it is removed. */
  function keep<File extends SpooledFile>(file: File): File {
    if (!files.has(file.digest)) files.set(file.digest, file);
    return file;
  }

  const spool: LayerSpool = {
    tar: (layer) => once(tars, layer, () => bounded(() => download(layer).catch(spoolError))),
    gzip: (layer) => once(gzips, layer, () => compress(layer).catch(spoolError)),
    find: (digest) => files.get(digest),
    named: async (digest) => files.get(digest) ?? spool.tar(digest),
    async remove(file) {
      const { layer, digest, path } = file;
      tars.delete(layer);
      gzips.delete(layer);
      if (files.get(digest) === file) files.delete(digest);
      await rm(path, { force: true });
    },
    async close() {
      if (made) await rm(made.path, { recursive: true, force: true });
      // The process may end while the files are removed.
      made?.forget();
    },
  };
  return spool;
}

interface SpoolFolder {
  readonly path: string;
  /** Takes the listeners away that remove the folder at the end of the process. */
  forget(): void;
}

/** Makes the folder in one step with its listeners: the process may end while a promise for it waits. */
function makeFolder(): SpoolFolder {
  const path = mkdtempSync(join(tmpdir(), 'regshift-layers-'));
  return { path, forget: removeAtEnd(path) };
}

/** Names the folder of temporary files in a system error. @throws always. */
function spoolError(error: unknown): never {
  if (!isOfSystem(error)) throw error;
  const text = systemErrorText(error, `The folder ${tmpdir()} for temporary files cannot be used`);
  throw new FileError(`${text}. Set TMPDIR to another folder.`, { cause: error });
}

/**
 * Runs work with a spool and a line that shows its progress, and removes both at the end.
 * @throws as the work.
 */
export async function withSpool<Result>(
  source: OpenImage,
  io: Io,
  work: (spool: LayerSpool, progress: TransferProgress) => Promise<Result>,
): Promise<Result> {
  const progress = createTransferProgress(io, systemClock);
  const spool = createLayerSpool(source, progress.add);
  try {
    return await work(spool, progress);
  } finally {
    progress.end();
    await spool.close();
  }
}

function once<Value>(
  known: Map<Digest, Promise<Value>>,
  digest: Digest,
  make: () => Promise<Value>,
): Promise<Value> {
  const found = known.get(digest) ?? make();
  known.set(digest, found);
  return found;
}
