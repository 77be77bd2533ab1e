import type { Digest } from '../../converters/digest.ts';
import type { Background } from '../concurrency/background.ts';
import type { LeaseClass } from '../concurrency/lease-semaphore.ts';
import type { Budget } from '../request/budget.ts';
import { type BackgroundRead, type BackgroundReadOptions, startBackgroundRead } from './background-read.ts';
import type { KnownFacts } from './layer-facts.ts';
import type { LayerRequest } from './layer-request.ts';

/** The current reads of a registry's layers. Each method joins the read of the layer, or starts it. */
export interface LayerReads {
  /** The read that requests with any access share. */
  shared(digest: Digest, request: LayerRequest, budget?: Budget): BackgroundRead;
  /** The read with the access of this request alone. */
  own(digest: Digest, request: LayerRequest, budget?: Budget): BackgroundRead;
  /** As `own`, for a read of the class `background`, which no request of a client joins and prolongs. */
  inBackground(digest: Digest, request: LayerRequest, budget?: Budget): BackgroundRead;
  /** The current reads that clients may wait for. */
  ofClients(digest: Digest): readonly BackgroundRead[];
}

export interface LayerReadsOptions extends BackgroundReadOptions {
  /** Gets the facts of each read. */
  readonly known: KnownFacts;
  readonly background: Background;
  /** Called when a read starts (1) and when it ends (-1). */
  readonly onReading?: (change: 1 | -1) => void;
}

/** The key of the read that requests with any access share. */
const sharedKey = '';

/** The beginning of the key of a read that no client waits for. No name of a repository begins so. */
const backgroundKey = '-background ';

export function createLayerReads(options: LayerReadsOptions): LayerReads {
  const { known, background, onReading } = options;
  const reads = new Map<Digest, Map<string, BackgroundRead>>();

  async function settle(digest: Digest, key: string, read: BackgroundRead, budget?: Budget): Promise<void> {
    try {
      const facts = await read.facts;
      for (const other of reads.get(digest)?.values() ?? []) if (other !== read) other.finish(facts);
      await known.set(digest, facts, budget);
    } catch {
      // Waiting requests get the error from `read.facts`.
    } finally {
      onReading?.(-1);
      const ofDigest = reads.get(digest);
      if (ofDigest?.get(key) === read) ofDigest.delete(key);
      if (ofDigest?.size === 0) reads.delete(digest);
    }
  }

  function readOf(
    key: string,
    leaseClass: LeaseClass,
    digest: Digest,
    request: LayerRequest,
    budget?: Budget,
  ) {
    const ofDigest = reads.get(digest) ?? new Map<string, BackgroundRead>();
    const running = ofDigest.get(key);
    if (running !== undefined && !running.isDead()) return running;
    const read = startBackgroundRead(digest, request, leaseClass, options);
    reads.set(digest, ofDigest.set(key, read));
    onReading?.(1);
    background(settle(digest, key, read, budget));
    return read;
  }

  return {
    shared: (digest, request, budget) => readOf(sharedKey, 'normal', digest, request, budget),
    own: (digest, request, budget) => readOf(accessKey(request), 'normal', digest, request, budget),
    inBackground: (digest, request, budget) =>
      readOf(`${backgroundKey}${accessKey(request)}`, 'background', digest, request, budget),
    ofClients: (digest) =>
      [...(reads.get(digest) ?? [])].flatMap(([key, read]) => (key.startsWith(backgroundKey) ? [] : [read])),
  };
}

function accessKey({ access: { repository, credential } }: LayerRequest): string {
  return `${repository} ${credential}`;
}
