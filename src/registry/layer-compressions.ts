import type { Digest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { Cache } from '../cache/cache.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { type ProbedLayer, probeLayer } from '../layers/compression.ts';
import { unread } from '../layers/unread.ts';
import { recordSource, upstreamSource } from '../request/stats.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { createSharedQuestions } from '../upstream/shared-questions.ts';

/** The compressions of a registry's layers, by their first bytes. */
export interface LayerCompressions {
  /**
   * Finds out the compression of a layer by a Range request for its first bytes, which only this process remembers.
   * @throws RegistryError
   */
  probeCompression(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<ProbedLayer>;
  /** As `probeCompression`, for a conversion that depends on it: the shared cache remembers what is certain, too. */
  learnCompression(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<Compression>;
}

export interface LayerCompressionsOptions {
  readonly client: UpstreamClient;
  readonly cache: Cache;
  readonly memory: MemoryBudget;
  readonly background: Background;
  readonly clock: Clock;
  /** The longest wait for work that requests share, in milliseconds (`sharedWorkMs`). */
  readonly deadlineMs?: number;
}

/** Milliseconds for which a process remembers the compression of a layer whose first bytes do not show it. */
export const doubtMs = 600_000;

/** The compression of a layer, and the end of that knowledge by the clock. */
interface KnownCompression {
  readonly probed: ProbedLayer;
  readonly until: number;
}

export function createLayerCompressions(options: LayerCompressionsOptions): LayerCompressions {
  const { client, cache, clock } = options;
  const compressions = options.memory.table<KnownCompression>('manifest-facts');
  const probes = createSharedQuestions<ProbedLayer>(options.background, options.deadlineMs);

  async function probeCompression(
    repository: RepositoryName,
    digest: Digest,
    context: RequestContext,
  ): Promise<ProbedLayer> {
    const key = joinKey(repository, digest);
    const known = compressions.get(key);
    if (known && clock() < known.until) return known.probed;
    const { credential, signal } = context;
    const start = async (abandoned: () => AbortSignal) => {
      const probed = await probeLayer(client, repository, digest, { ...context, signal: abandoned() });
      const until = probed.certain ? Number.POSITIVE_INFINITY : clock() + doubtMs;
      compressions.set(key, { probed, until });
      return probed;
    };
    return probes.join({ key, credential: credentialKey(credential), start }, signal);
  }

  return {
    probeCompression,

    async learnCompression(repository, digest, context) {
      const { budget } = context;
      const key = joinKey('compression', client.id, repository, digest);
      const known = await cache.get(key, budget);
      if (known) return known.facts.compression as Compression;
      if (context.mayFetch) unread(`layer ${digest}`);
      recordSource(budget.stats, upstreamSource);
      const { compression, certain } = await probeCompression(repository, digest, context);
      if (certain) await cache.set(key, { facts: { compression }, body: new Uint8Array() }, budget);
      return compression;
    },
  };
}
