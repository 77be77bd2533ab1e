import { createHash } from 'node:crypto';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import type { Digest } from '../../../converters/digest.ts';
import type { Decoder, LayerCodec } from '../../layers/codec.ts';
import type { FramePiece } from '../../layers/zstd-frames.ts';
import { createWindowBudget, type WindowBudget } from './window-budget.ts';
import { driveZlib, type Engine } from './zlib-engine.ts';

const MiB = 2 ** 20;

/** What `zstd -d` takes without being told to, and what the longest windows of `zstd --long` are. */
const windowLimit = 128 * MiB;
const windowLogMax = 27;

/** Each piece that comes out costs a way through the thread pool: 16 KiB, zlib's default, halves the speed. */
const chunkSize = 128 * 1024;

export interface NodeLayerCodecOptions {
  /** For the zstd windows of all streams together, in bytes; at least the largest window. */
  readonly windowBudget?: number;
}

/** zlib, zstd and OpenSSL, as Node has them built in. */
export function createNodeLayerCodec({
  windowBudget = 2 * windowLimit,
}: NodeLayerCodecOptions = {}): LayerCodec {
  const budget = createWindowBudget(Math.max(windowBudget, windowLimit));
  return {
    gunzip: () => driveZlib(createGunzip({ chunkSize })),
    zstd: { windowLimit, unit: 'frame', unpack: (signal) => unzstd(budget, signal) },
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
 * One engine for all frames, as long as its window is large enough: zstd:chunked has a frame for every file. It is
 * never shown bytes of two frames at once (`createFrameWalk`), so that it goes on to the next.
 */
function unzstd(budget: WindowBudget, signal: AbortSignal): Decoder<FramePiece> {
  let engine: Engine | undefined;
  let window = 0;
  let giveBack = () => {};

  function close(): void {
    engine?.close();
    engine = undefined;
    giveBack();
    giveBack = () => {};
  }

  async function open(windowSize: number): Promise<Engine> {
    close();
    window = roomFor(windowSize);
    giveBack = await budget.take(window, signal);
    return driveZlib(
      createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } }),
    );
  }

  return {
    async *push({ bytes, opens }) {
      if (engine === undefined || (opens?.windowSize ?? 0) > window)
        engine = await open(opens?.windowSize ?? 0);
      yield* engine.push(bytes);
    },
    close,
  };
}

/** In powers of two, so that frames which grow little by little do not need a new engine each. */
function roomFor(windowSize: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(windowSize, MiB)));
}
