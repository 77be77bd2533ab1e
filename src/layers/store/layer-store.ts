import { type Digest, digestAlgorithm } from '../../../converters/digest.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { settledWithin } from '../../concurrency/deadline.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { ByteSpan } from '../byte-range.ts';
import type { LayerCodec } from '../codec.ts';
import { createDigester } from '../digester.ts';
import { verifyingStream } from '../verify.ts';
import { type BlobId, type BlobName, type BlobStore, BlobTooLarge } from './blob-store.ts';
import type { Fill, FollowedSpan } from './fill.ts';
import { createOpenFills } from './open-fills.ts';
import { blobKey, registryTag, removeDamaged } from './stored-blobs.ts';

/** One store for all registries. */
export interface LayerStores {
  /** Whether the store does not answer, or reads or writes rest after an error. */
  isAway(): boolean;
  /**
   * The store of one registry. A registry may name any digest, and claim to have its bytes, so a blob is never given
   * through another registry than the one that gave it.
   * @param registry `UpstreamClient.id`: routes and replicas with the same one share its blobs.
   */
  of(registry: string): LayerStore;
}

/**
 * The store as the rest of the program uses it, for one registry. No method throws: a store that is full, slow or away
 * never fails a pull. After an error, reads or writes rest for some seconds, in which blobs come from upstream as without
 * a store.
 */
export interface LayerStore {
  /** False for a store that takes no blob before its digest is known. */
  readonly namesAtEnd: boolean;
  /** Whether a fill can be followed. */
  readonly readsBack: boolean;
  /** Whether the store takes a blob of this size now. */
  takes(size: number): boolean;
  /** Bytes of a blob that the store has. */
  has(digest: Digest): Promise<number | undefined>;
  /** Opens a blob, whole or in part. Its bytes have been verified when they were written. */
  open(blob: BlobName, span?: ByteSpan): Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * Whether a disk may have damaged a blob since it was written: its bytes have not been verified for a day. A client that
   * verifies them would be refused by the same bytes at each pull.
   */
  isInDoubt(digest: Digest): boolean;
  /**
   * Verifies a whole blob out of the store once more. The stream errors before its end if the bytes are wrong, and the
   * blob is removed.
   */
  verify(stored: ReadableStream<Uint8Array>, blob: BlobName): ReadableStream<Uint8Array>;
  /**
   * Follows the fill of a blob that is right and not yet stored: a folder writes half a GiB to its disk for seconds.
   * @returns undefined if there is none; `stored` if there was one, whose bytes can be read only now.
   */
  follow(span: FollowedSpan, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array> | 'stored' | undefined>;
  /**
   * Begins to fill in a blob.
   * @returns undefined where the store rests, has enough to do, or takes this blob already.
   * @param blob undefined for a blob whose digest is not known yet.
   * @param likelySize bytes that such a blob probably has.
   */
  fill(blob?: BlobName, likelySize?: number): Fill | undefined;
}

export interface LayerStoreOptions {
  readonly store: BlobStore;
  readonly codec: Pick<LayerCodec, 'hash'>;
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  readonly background: Background;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'storeRead' | 'storeWrite'>;
}

/** The longest wait for the first answer of the store. */
const answerMs = 3_000;

/** The time for which the bytes of a file count as those that were verified. To hash a GiB takes half a second. */
const proofMs = 86_400_000;

/** The time for which a verification counts as one that ends well: the readers beside it do not hash the same bytes. */
const provingMs = 60_000;

/** The rest after an error. */
const restMs = 5_000;

/** A line in the log for errors of the store, at most once in this time. */
const logMs = 60_000;

export function createLayerStores(options: LayerStoreOptions): LayerStores {
  const { store, codec, clock, memory, background, log, metrics } = options;
  /** The time until which each blob is out of doubt. A bucket keeps sums of its own. */
  const proofs = store.readsBack ? memory.table<number>('layer-proofs') : undefined;
  const fills = createOpenFills(clock, background);
  const reads = createRest('read');
  const writes = createRest('write');

  /** One kind of use, which rests after an error. */
  function createRest(use: 'read' | 'write') {
    let restsUntil = Number.NEGATIVE_INFINITY;
    let loggedAt = Number.NEGATIVE_INFINITY;
    return {
      isResting: () => clock() < restsUntil,
      failed(error: unknown) {
        if (!(error instanceof BlobTooLarge)) restsUntil = clock() + restMs;
        if (clock() - loggedAt < logMs) return;
        loggedAt = clock();
        const facts = { store: store.kind, use, reason: String(error) };
        log('warn', 'the store of layers failed; the layer comes from the registry', facts);
      },
    };
  }

  async function ask<Value>(work: () => Promise<Value | undefined>): Promise<Value | undefined> {
    try {
      return await inTime(work());
    } catch (error) {
      reads.failed(error);
      throw error;
    }
  }

  const takes = (size: number) =>
    fills.count() < store.mostWrites && size <= store.mostBytes && !writes.isResting();

  function storeOf(registry: string): LayerStore {
    const own = <Blob extends BlobId>(blob: Blob) => ({ ...blob, registry });
    const keyOf = (digest: Digest) => blobKey({ digest, registry });
    const isInDoubt = (digest: Digest) => proofs !== undefined && clock() >= (proofs.get(keyOf(digest)) ?? 0);
    const trust = (digest: Digest, ms: number) => proofs?.set(keyOf(digest), clock() + ms);
    return {
      namesAtEnd: store.namesAtEnd,
      readsBack: store.readsBack,
      takes,

      async has(digest) {
        if (reads.isResting()) return undefined;
        return ask(() => store.head({ digest, registry })).catch(() => undefined);
      },

      async open(blob, span) {
        if (reads.isResting()) return undefined;
        try {
          const stream = await ask(() => store.read(own(blob), span));
          metrics.storeRead(stream === undefined ? 'miss' : 'hit');
          return stream;
        } catch {
          metrics.storeRead('error');
          return undefined;
        }
      },

      isInDoubt,

      verify(stored, blob) {
        const { digest, size } = blob;
        const expected = `${digest} (${size} bytes)`;
        const onMismatch = (found: string) =>
          background(removeDamaged(log, { digest }, { found, expected }, () => store.delete(own(blob))));
        const what = `blob ${digest} in the store`;
        if (isInDoubt(digest)) trust(digest, provingMs);
        const onMatch = () => trust(digest, proofMs);
        return verifyingStream(stored, blob, { codec, what, relation: 'should be', onMismatch, onMatch });
      },

      follow: (span, signal) => fills.follow(keyOf(span.blob.digest), span, signal),

      fill(blob, likelySize) {
        if (!takes(blob?.size ?? 0)) return undefined;
        return fills.begin(blob, keyOf, {
          open: () => store.write(blob && own(blob), likelySize),
          registry,
          digester: createDigester(codec.hash(blob ? digestAlgorithm(blob.digest) : 'sha256')),
          ended({ stored, error }) {
            if (stored) {
              trust(stored.digest, proofMs);
              metrics.storeWrite('stored', stored.size);
            } else metrics.storeWrite(error === undefined ? 'dropped' : 'error', 0);
            if (error !== undefined) writes.failed(error);
          },
        });
      },
    };
  }

  return {
    isAway: () => (store.isAway?.() ?? false) || reads.isResting() || writes.isResting(),
    of: (registry) => storeOf(registryTag(registry)),
  };
}

/** @throws Error if the work takes too long. A stream that comes later is cancelled. */
async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await settledWithin(answerMs, work);
  } catch (error) {
    work.then(cancelStream, () => undefined);
    throw error;
  }
}

function cancelStream(value: unknown): void {
  if (value instanceof ReadableStream) value.cancel().catch(() => undefined);
}
