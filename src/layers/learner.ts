import type { Digest } from '../../converters/digest.ts';
import type { Budget } from '../budget.ts';
import { createBounded } from '../cache/bounded.ts';
import type { Cache } from '../cache/cache.ts';
import { waitFor } from '../concurrency/deadline.ts';
import type { UnpackLimits } from './bomb.ts';
import type { LayerCodec } from './codec.ts';
import { entryOf, factsKey, factsOf, type LayerFacts } from './facts.ts';
import { type LayerProgress, type OpenLayer, type Reading, startReading } from './reading.ts';
import { createTurns, type Turns } from './turns.ts';

export interface LayerLearner {
  /** What is remembered of a layer; never reads one. */
  known(digest: Digest, budget?: Budget): Promise<LayerFacts | undefined>;
  /**
   * What is remembered, or else the layer is read: once at a time, for all who ask. The signal ends the wait of its
   * caller only; the reading goes on for whoever asks next. A failure is shared by those who wait, and forgotten.
   * Callers prove first that they may read the layer.
   * @throws Failure as `measure` and `open` do; UPSTREAM_TIMEOUT when nothing comes; the signal's reason.
   */
  facts(digest: Digest, open: OpenLayer, signal?: AbortSignal, budget?: Budget): Promise<LayerFacts>;
  /** How far the reading under way is, so that a client can be told when to come back. */
  progress(digest: Digest): LayerProgress | undefined;
}

export interface LayerLearnerOptions {
  readonly codec: LayerCodec;
  readonly limits: UnpackLimits;
  readonly cache: Cache;
  /** To read a layer, from `createLayerTurns`: learners that have them in common share connections and memory. */
  readonly turns: Turns;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Told when a layer begins to be read (1), and when it is no longer (-1). */
  readonly onReading?: (change: 1 | -1) => void;
  /** How long a reading may stand still. */
  readonly silenceMs?: number;
}

const defaultSilenceMs = 60_000;

/** Beside the cache: they weigh nothing, and to learn them again would cost a whole layer. */
const rememberedFacts = 20_000;

/** @param limit how many layers are read at once. @param silenceMs as learners have it. */
export function createLayerTurns(limit: number, clock: () => number, silenceMs = defaultSilenceMs): Turns {
  return createTurns({ limit, staleMs: silenceMs * 1.5, clock });
}

export function createLayerLearner(options: LayerLearnerOptions): LayerLearner {
  const { cache, turns, silenceMs = defaultSilenceMs, onReading } = options;
  const memory = createBounded<Digest, LayerFacts>(rememberedFacts);
  const readings = new Map<Digest, Reading>();

  async function known(digest: Digest, budget?: Budget): Promise<LayerFacts | undefined> {
    const near = memory.get(digest);
    if (near !== undefined) return near;
    const entry = await cache.get(factsKey(digest), budget);
    const facts = entry && factsOf(entry);
    if (facts !== undefined) memory.set(digest, facts);
    return facts;
  }

  async function settle(digest: Digest, reading: Reading, budget?: Budget): Promise<void> {
    try {
      const facts = await reading.facts;
      memory.set(digest, facts);
      await cache.set(factsKey(digest), entryOf(facts), budget);
    } catch {
      // Those who wait hear of it; when there is no one, it is no one's.
    } finally {
      onReading?.(-1);
      if (readings.get(digest) === reading) readings.delete(digest);
    }
  }

  function joinReading(digest: Digest, open: OpenLayer, budget?: Budget): Reading {
    const running = readings.get(digest);
    if (running !== undefined && !running.isDead()) return running;
    const reading = startReading(digest, open, { ...options, turns, silenceMs });
    readings.set(digest, reading);
    onReading?.(1);
    void settle(digest, reading, budget);
    return reading;
  }

  return {
    known,

    async facts(digest, open, signal, budget) {
      signal?.throwIfAborted();
      // Looked up twice: a reading may have ended while the cache was asked.
      const facts = (await known(digest, budget)) ?? memory.get(digest);
      if (facts !== undefined) return facts;
      const { facts: learned } = joinReading(digest, open, budget);
      return signal === undefined ? learned : waitFor(learned, signal);
    },

    progress: (digest) => readings.get(digest)?.progress(),
  };
}
