import { createHash } from 'node:crypto';
import { constants, createGunzip, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Digest } from '../../../../converters/digest.ts';
import type { TakeTurn } from '../../../../converters/ports.ts';
import { createFairSemaphore } from '../../../concurrency/fair-semaphore.ts';
import { createWorkTurns } from '../../../concurrency/work-turns.ts';
import type { LayerCodec, ZstdDecoder } from '../../../layers/codec.ts';
import type { TakeWindow } from '../../../layers/windows.ts';
import type { FrameHeader } from '../../../layers/zstd/frame-header.ts';
import type { FramePiece } from '../../../layers/zstd/frame-splitter.ts';
import { countBuffer } from '../garbage.ts';
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
  const takeTurn = createWorkTurns(setImmediate, workOfTurn);
  return {
    gunzip: () => driveZlib(createGunzip(output)),
    zstd: { windowLimit, unit: 'frame', limits, decompress: (take) => unzstd(take, takeTurn) },
    hash(algorithm) {
      const hash = createHash(algorithm);
      return {
        update: (bytes) => void hash.update(bytes),
        digest: async () => `${algorithm}:${hash.digest('hex')}` as Digest,
      };
    },
  };
}

/** The largest frame that is decompressed at once on this thread, in bytes of input and of output. */
const smallFrame = 32 * 1024;
/** A frame takes some 16 µs besides its bytes: as long as this many bytes. */
const workOfFrame = 16 * 1024;
/** Bytes of small frames of one layer without a pause: a millisecond or two. */
const workOfShare = MiB;
/** Bytes of small frames of all layers in one turn of the event loop: less of them takes more time for the turns. */
const workOfTurn = 4 * MiB;

/**
 * One engine for all frames, as long as its window is large enough: zstd:chunked has a frame for every file. It never
 * gets bytes of two frames at once (`createFrameSplitter`), so that it continues with the next frame. A small frame
 * needs no engine: a pass through the thread pool takes longer than to decompress it.
 */
function unzstd(take: TakeWindow, takeTurn: TakeTurn): ZstdDecoder {
  let engine: Engine | undefined;
  let window = 0;
  let work = workOfShare;
  let giveBack = () => {};

  function close(): void {
    engine?.close();
    engine = undefined;
    giveBack();
    giveBack = () => {};
  }

  return {
    async prepare(piece) {
      const { opens } = piece;
      if (isSmall(piece) || (engine !== undefined && (opens?.windowSize ?? 0) <= window)) return;
      close();
      window = roomFor(opens?.windowSize ?? 0);
      giveBack = await take(window);
      engine = driveZlib(
        createZstdDecompress({ ...output, params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } }),
      );
    },
    async *push(piece) {
      if (isSmall(piece)) {
        work += piece.bytes.length + piece.opens.contentSize + workOfFrame;
        if (work > workOfShare) {
          work = 0;
          await takeTurn(workOfShare);
        }
        yield* decompressAtOnce(piece);
        return;
      }
      if (engine === undefined) throw new Error('The decoder was not prepared.');
      yield* engine.push(piece.bytes);
    },
    close,
  };
}

/** Windows grow by powers of two, so that frames which grow little by little do not each need a new engine. */
function roomFor(windowSize: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(windowSize, MiB)));
}

/** A whole frame, with a header that states the size of its content. */
interface SmallFrame extends FramePiece {
  readonly opens: FrameHeader & { readonly contentSize: number };
}

function isSmall(piece: FramePiece): piece is SmallFrame {
  const { bytes, opens, closes } = piece;
  return (
    closes && bytes.length <= smallFrame && (opens?.contentSize ?? Number.POSITIVE_INFINITY) <= smallFrame
  );
}

/** @throws the error of zstd if the frame is broken, or has another size than it states. */
function decompressAtOnce({ bytes, opens }: SmallFrame): readonly Uint8Array[] {
  // The least chunk of Node has 64 bytes. With one byte of room more, zstd itself finds content that is too long.
  const chunkSize = Math.max(opens.contentSize + 1, 64);
  const content = zstdDecompressSync(bytes, { chunkSize, maxOutputLength: 2 * smallFrame });
  countBuffer(content.length);
  return content.length === 0 ? [] : [content];
}
