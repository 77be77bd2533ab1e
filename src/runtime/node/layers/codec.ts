import { createHash } from 'node:crypto';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import type { Digest } from '../../../../converters/digest.ts';
import { createFairSemaphore } from '../../../concurrency/fair-semaphore.ts';
import type { LayerCodec, ZstdDecoder } from '../../../layers/codec.ts';
import type { TakeWindow } from '../../../layers/windows.ts';
import { createPartedWindowBudget, createWindowBudget } from './memory-semaphore.ts';
import { driveZlib, type Engine } from './zlib-engine.ts';

const MiB = 2 ** 20;

/** Window limits: the default of `zstd -d`, and the longest windows of `zstd --long`. */
const windowLimit = 128 * MiB;
const windowLogMax = 27;

/** Each output chunk costs a pass through the thread pool: 16 KiB, zlib's default, halves the speed. */
const chunkSize = 128 * 1024;
/** The engine makes a second chunk while the event loop is busy with the first: a layer takes a tenth less time. */
const output = { chunkSize, readableHighWaterMark: 2 * chunkSize };

export interface NodeLayerCodecOptions {
  /** Memory for the zstd windows of all downloads together, in bytes; at least the largest window. */
  readonly windowBudget?: number;
  /**
   * Memory for the zstd windows of all layers that are read for a conversion, in bytes; at least the largest window.
   */
  readonly conversionBudget?: number;
  readonly patienceMs?: number;
  readonly graceMs?: number;
}

/** The thread pool has four threads, and downloads keep some of them. */
const skipsAtOnce = 2;

/** The codec of Node: its built-in zlib, zstd and OpenSSL. */
export function createNodeLayerCodec({
  windowBudget = 2 * windowLimit,
  conversionBudget = windowLimit,
  patienceMs = 30_000,
  graceMs = 5_000,
}: NodeLayerCodecOptions = {}): LayerCodec {
  const limits = {
    downloads: createPartedWindowBudget(Math.max(windowBudget, windowLimit), windowLimit),
    conversions: createWindowBudget(Math.max(conversionBudget, windowLimit)),
    skips: createFairSemaphore(skipsAtOnce),
    patienceMs,
    graceMs,
  };
  return {
    gunzip: () => driveZlib(createGunzip(output)),
    zstd: { windowLimit, unit: 'frame', limits, decompress: unzstd },
    hash(algorithm) {
      const hash = createHash(algorithm);
      return {
        update: (bytes) => void hash.update(bytes),
        digest: async () => `${algorithm}:${hash.digest('hex')}` as Digest,
      };
    },
  };
}

/**
 * One engine for all frames, as long as its window is large enough: zstd:chunked has a frame for every file. It never
 * gets bytes of two frames at once (`createFrameSplitter`), so that it continues with the next frame.
 */
function unzstd(take: TakeWindow): ZstdDecoder {
  let engine: Engine | undefined;
  let window = 0;
  let giveBack = () => {};

  function close(): void {
    engine?.close();
    engine = undefined;
    giveBack();
    giveBack = () => {};
  }

  return {
    async prepare({ opens }) {
      if (engine !== undefined && (opens?.windowSize ?? 0) <= window) return;
      close();
      window = roomFor(opens?.windowSize ?? 0);
      giveBack = await take(window);
      engine = driveZlib(
        createZstdDecompress({ ...output, params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } }),
      );
    },
    async *push({ bytes }) {
      if (engine === undefined) throw new Error('The decoder was not prepared.');
      yield* engine.push(bytes);
    },
    close,
  };
}

/** Windows grow by powers of two, so that frames which grow little by little do not each need a new engine. */
function roomFor(windowSize: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(windowSize, MiB)));
}
