import { mapBounded } from '../../converters/concurrency.ts';
import type { Digest } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Layer } from '../../converters/model.ts';
import { readManifest } from '../../converters/read.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { isSpent } from '../errors.ts';
import type { ManifestInfo } from '../negotiation/negotiate.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { backgroundContext, type RequestContext } from '../upstream/request-context.ts';
import type { ContentStore } from './content-store.ts';

export interface LayerLabelsOptions {
  readonly content: Pick<ContentStore, 'getManifest' | 'probeCompression'>;
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
   * @returns false where they are not read for this request, because upstream counts pulls.
   */
  check(repository: RepositoryName, image: Digest, context: RequestContext): boolean;
}

/** Images that are checked at once: each check holds the credential of its request. */
const mostAtOnce = 4;
/** Requests of one check at once. */
const concurrentProbes = 2;
/** Maximum time of one check, in milliseconds. The first bytes that it has read by then are kept. */
const longestMs = 30_000;
/** Time without a new check of an image after one has failed, in milliseconds. */
const pauseMs = 60_000;

export function createLayerLabels(options: LayerLabelsOptions): LayerLabels {
  const { content, countsPulls, memory, background, clock } = options;
  const checked = memory.table<'right' | 'wrong'>('manifest-facts');
  const pauses = memory.table<number>('searches');
  const inProgress = new Set<string>();

  async function readLabels(
    repository: RepositoryName,
    image: Digest,
    context: RequestContext,
  ): Promise<'right' | 'wrong'> {
    const { bytes, contentType } = await content.getManifest(repository, image, context);
    const model = readManifest(bytes, contentType);
    const layers = model.kind === 'image' ? model.dependencies.filter(hasDoubtfulLabel) : [];
    const found = await mapBounded(layers, concurrentProbes, async ({ digest }) => {
      context.signal?.throwIfAborted();
      return content.probeCompression(repository, digest, context);
    });
    return found.includes('zstd') ? 'wrong' : 'right';
  }

  /** The credential is in this piece of work alone, and goes with it. */
  async function work(repository: RepositoryName, image: Digest, context: RequestContext): Promise<void> {
    const over = new AbortController();
    const limit = setTimeout(
      () => over.abort(new Error('the first bytes of layers took too long')),
      longestMs,
    );
    try {
      const labels = await readLabels(repository, image, { ...context, signal: over.signal });
      checked.set(joinKey(repository, image), labels);
    } catch (error) {
      // A new request has a new budget.
      if (!isSpent(error)) pauses.set(pauseKeyOf(repository, image, context), clock() + pauseMs);
    } finally {
      clearTimeout(limit);
    }
  }

  return {
    areWrong: (repository, image) => checked.get(joinKey(repository, image)) === 'wrong',
    areChecked: (repository, image) => checked.get(joinKey(repository, image)) !== undefined,
    check(repository, image, context) {
      if (countsPulls(context)) return false;
      const key = joinKey(repository, image);
      const isPaused = (pauses.get(pauseKeyOf(repository, image, context)) ?? 0) > clock();
      if (isPaused || checked.get(key) || inProgress.has(key) || inProgress.size >= mostAtOnce) return true;
      inProgress.add(key);
      background(work(repository, image, backgroundContext(context)).finally(() => inProgress.delete(key)));
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

/** Types of layers that Docker images have and that do not name zstd. */
const doubtful: ReadonlySet<string> = new Set([
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
]);

function hasDoubtfulLabel({ mediaType, foreign, encrypted }: Layer): boolean {
  return doubtful.has(mediaType) && !foreign && !encrypted;
}

/** A refusal or failure concerns the credential of one request: others try for themselves. */
function pauseKeyOf(repository: RepositoryName, image: Digest, { credential }: RequestContext): string {
  return joinKey('labels', repository, image, credentialKey(credential));
}
