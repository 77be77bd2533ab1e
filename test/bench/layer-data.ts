import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress, zstdCompressSync } from 'node:zlib';
import type { Digest } from '../../converters/digest.ts';

export interface BenchLayer {
  readonly path: string;
  readonly compression: 'gzip' | 'zstd';
  readonly digest: Digest;
  readonly diffId: Digest;
  /** The size of the decompressed layer, in bytes. */
  readonly size: number;
}

export interface BenchLayers {
  readonly gzip: BenchLayer;
  /** The output of `zstd -3`: a window of 2 MiB. */
  readonly zstd: BenchLayer;
  /** A window of 8 MiB, which BuildKit's encoder declares. */
  readonly zstd8MiB: BenchLayer;
  /** Like `zstd`, with other content. */
  readonly other: BenchLayer;
  /** A frame for each 32 KiB; zstd:chunked has one for each file. */
  readonly chunked: BenchLayer;
}

const size = 512 * 2 ** 20;
const folder = join(tmpdir(), 'regshift-bench');
const index = join(folder, 'layers.json');
const plain = join(folder, 'plain');

/** The path of the content of all layers but `other`, without compression. */
export const plainLayer: string = plain;

/** Makes the layers once and keeps them: compressing half a GiB four times takes a minute. */
export async function prepareLayers(): Promise<BenchLayers> {
  const known = await readFile(index, 'utf8').catch(() => undefined);
  const made = known === undefined ? {} : (JSON.parse(known) as Partial<BenchLayers>);
  if (made.other !== undefined) return made as BenchLayers;
  mkdirSync(folder, { recursive: true });
  // The tar is a file first: node_modules may change between two reads.
  await write(plain, content());
  const diffId = await write('/dev/null', createReadStream(plain));
  const make = async (
    name: string,
    compressed: AsyncIterable<Uint8Array>,
    of = diffId,
  ): Promise<BenchLayer> => {
    const path = join(folder, name);
    return {
      path,
      compression: name === 'gzip' ? name : 'zstd',
      digest: await write(path, compressed),
      diffId: of,
      size,
    };
  };
  const zstd = (windowLog: number) =>
    createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } });
  const layers: BenchLayers = {
    gzip: await make('gzip', createReadStream(plain).pipe(createGzip())),
    zstd: await make('zstd', createReadStream(plain).pipe(zstd(21))),
    zstd8MiB: await make('zstd8MiB', createReadStream(plain).pipe(zstd(23))),
    other: await make(
      'other',
      Readable.from(otherContent()).pipe(zstd(21)),
      await write('/dev/null', otherContent()),
    ),
    chunked: await make('chunked', frames(32 * 1024)),
  };
  await writeFile(index, JSON.stringify(layers));
  return layers;
}

/** @returns the digest of the file that was written. */
async function write(path: string, pieces: AsyncIterable<Uint8Array>): Promise<Digest> {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  for await (const bytes of pieces) {
    hash.update(bytes);
    await file.write(bytes);
  }
  await file.close();
  return `sha256:${hash.digest('hex')}` as Digest;
}

async function* otherContent(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(4096);
  yield* createReadStream(plain, { start: 4096 });
}

async function* frames(length: number): AsyncGenerator<Uint8Array> {
  for await (const bytes of createReadStream(plain, { highWaterMark: length })) yield zstdCompressSync(bytes);
}

/** The bytes of layers: a runtime's program and a tree of packages, repeated from the start until there are enough. */
async function* content(): AsyncGenerator<Uint8Array> {
  const packages = join(import.meta.dirname, '../../node_modules');
  const names = readdirSync(packages, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = [process.execPath, ...names.map((name) => join(packages, name))];
  let made = 0;
  for (let next = 0; made < size; next = (next + 1) % files.length) {
    // A folder and a dangling link cannot be read.
    const bytes = await readFile(files[next] ?? '').catch(() => new Uint8Array());
    yield bytes.subarray(0, size - made);
    made += Math.min(bytes.length, size - made);
  }
}
