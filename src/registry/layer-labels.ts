import { mapBounded } from '../../converters/concurrency.ts';
import type { Digest } from '../../converters/digest.ts';
import type { Layer } from '../../converters/model.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { Cache } from '../cache/cache.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import type { ManifestInfo } from '../negotiation/negotiate.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { createBackgroundJobs } from './background-jobs.ts';
import type { ContentStore } from './content-store.ts';
import { doubtMs } from './layer-compressions.ts';

export interface LayerLabelsOptions {
  readonly client: Pick<UpstreamClient, 'id'>;
  readonly cache: Cache;
  readonly content: Pick<ContentStore, 'getModel' | 'probeCompression'>;
  /** Whether upstream counts the pulls of this account, or is likely to. */
  readonly countsPulls: (context: RequestContext) => boolean;
  readonly memory: MemoryBudget;
  readonly background: Background;
  readonly clock: Clock;
}

/**
 * The labels of layers, compared with their first bytes. A layer of zstd that is labelled gzip or tar reaches engines
 * that cannot decompress it, which report `invalid tar header`. What is learned is about the bytes of a digest, and the
 * same for every caller.
 */
export interface LayerLabels {
  /** Whether an image is known to have zstd layers with another label. Sends no request. */
  areWrong(repository: RepositoryName, image: Digest): boolean;
  /** Whether the first bytes of all layers of an image are known. Sends no request. */
  areChecked(repository: RepositoryName, image: Digest): boolean;
  /**
   * Reads the first bytes of an image's layers in the background, with the right of this request.
   * @returns false where they are not read for this request, because upstream counts pulls, or a person looks.
   */
  check(repository: RepositoryName, image: Digest, context: RequestContext): boolean;
}

type Verdict = 'right' | 'wrong';

/** The verdict on an image, which holds until a time of the clock. */
interface Known {
  readonly labels: Verdict;
  readonly until: number;
}

/** Requests of one check at once. */
const concurrentProbes = 2;
/** Maximum time of one check, in milliseconds. */
const longestMs = 30_000;

export function createLayerLabels(options: LayerLabelsOptions): LayerLabels {
  const { client, cache, content, countsPulls, memory, clock } = options;
  const checked = memory.table<Known>('manifest-facts');
  const jobs = createBackgroundJobs({ ...options, longestMs });

  /** One entry for an image, so that another process reads that in place of its layers. */
  async function findOut(repository: RepositoryName, image: Digest, context: RequestContext): Promise<Known> {
    const key = joinKey('labels', client.id, repository, image);
    const shared = await cache.get(key, context.budget);
    if (shared) return { labels: shared.facts.labels as Verdict, until: Number.POSITIVE_INFINITY };
    const labels = await readLabels(repository, image, context);
    if (labels === 'doubtful') return { labels: 'right', until: clock() + doubtMs };
    await cache.set(key, { facts: { labels }, body: new Uint8Array() }, context.budget);
    return { labels, until: Number.POSITIVE_INFINITY };
  }

  async function readLabels(
    repository: RepositoryName,
    image: Digest,
    context: RequestContext,
  ): Promise<Verdict | 'doubtful'> {
    const model = await content.getModel(repository, image, context);
    const layers = model.kind === 'image' ? model.dependencies.filter(hasDoubtfulLabel) : [];
    const found = await mapBounded(layers, concurrentProbes, async ({ digest }) => {
      context.signal?.throwIfAborted();
      const { compression, certain } = await content.probeCompression(repository, digest, context);
      if (compression === 'zstd') return 'wrong';
      return certain ? 'right' : 'doubtful';
    });
    if (found.includes('wrong')) return 'wrong';
    return found.includes('doubtful') ? 'doubtful' : 'right';
  }

  function known(key: string): Verdict | undefined {
    const found = checked.get(key);
    return found && clock() < found.until ? found.labels : undefined;
  }

  return {
    areWrong: (repository, image) => known(joinKey(repository, image)) === 'wrong',
    areChecked: (repository, image) => known(joinKey(repository, image)) !== undefined,
    check(repository, image, context) {
      if (countsPulls(context) || context.mayFetch) return false;
      const key = joinKey(repository, image);
      if (known(key) !== undefined) return true;
      jobs.start(key, context, async (own) => {
        checked.set(key, await findOut(repository, image, own));
        return true;
      });
      return true;
    },
  };
}

/** The facts of a manifest for negotiation, with what is known about the bytes of its layers. */
export function withTrueLabels(content: ContentStore, labels: Pick<LayerLabels, 'areWrong'>): ContentStore {
  return {
    ...content,
    async getManifestInfo(repository, digest, context): Promise<ManifestInfo> {
      const info = await content.getManifestInfo(repository, digest, context);
      const isWrong = info.entries === undefined && labels.areWrong(repository, digest);
      return isWrong ? { ...info, zstd: true, mislabelled: true } : info;
    },
  };
}

/** Whether the type of a layer states another compression than zstd, which its bytes may have. */
function hasDoubtfulLabel({ compression, foreign, encrypted }: Layer): boolean {
  return (compression === 'gzip' || compression === 'none') && !foreign && !encrypted;
}
