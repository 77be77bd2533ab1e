import type { Digest } from '../../converters/digest.ts';
import type { Layer } from '../../converters/model.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import { isDecided } from '../errors.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { LayerInspector } from './inspector.ts';
import type { LayerMembers } from './layer-members.ts';
import type { LayerRequest } from './layer-request.ts';
import { createLayersToRead, type LayersToRead } from './layers-to-read.ts';
import { unread } from './unread.ts';

/**
 * Starts to read the layers of one conversion.
 * @returns a function that returns the facts of a layer. It throws RegistryError UNSUPPORTED with the time to pull again
 *   if a read outlasts the deadline, and the error of `isNotReadYet` if the context allows known layers only. In the
 *   background there is no deadline but the signal's, and one layer is read after the other.
 */
export type ReadingFor = (
  repository: RepositoryName,
  context: RequestContext,
) => (layer: Layer) => Promise<LayerFacts>;

export interface ConversionReadsOptions {
  readonly inspector: LayerInspector;
  readonly members: Pick<LayerMembers, 'prove'>;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly deadline: number;
  readonly requestFor: (repository: RepositoryName, digest: Digest, context: RequestContext) => LayerRequest;
}

/**
 * Bytes beyond twice the manifest's size that a layer may have. Registries do not check the size in a manifest, and few
 * container engines do, so a slightly wrong size is accepted.
 */
const tolerance = 1_048_576;

export function createConversionReads(options: ConversionReadsOptions): ReadingFor {
  const { inspector, members, deadline, requestFor } = options;

  /** For a viewer, a layer of another repository is one that nobody has read. */
  async function knownFacts(repository: RepositoryName, digest: Digest, context: RequestContext) {
    const known = (await inspector.cachedFacts(digest)) ?? unread(`layer ${digest}`);
    await members.prove(repository, digest, context).catch((error: unknown) => {
      if (isDecided(error)) unread(`layer ${digest}`);
      throw error;
    });
    return known;
  }

  async function provenFacts(
    repository: RepositoryName,
    { digest, size }: Layer,
    context: RequestContext,
    leaseClass: 'normal' | 'background',
  ): Promise<LayerFacts> {
    const { signal, budget } = context;
    const maxSize = size === undefined ? {} : { maxSize: 2 * size + tolerance };
    const request = { ...requestFor(repository, digest, context), ...maxSize };
    const facts = await inspector.facts(digest, request, { signal, budget, leaseClass });
    await members.prove(repository, digest, context);
    return facts;
  }

  async function factsOf(
    repository: RepositoryName,
    layer: Layer,
    layers: LayersToRead,
    context: RequestContext,
  ): Promise<LayerFacts> {
    const { digest, size } = layer;
    if (context.knownLayersOnly) return knownFacts(repository, digest, context);
    // The time that the read of another repository still takes is a fact of that repository, too.
    if (inspector.isReadElsewhere(digest, repository)) await members.prove(repository, digest, context);
    if (context.inBackground) return provenFacts(repository, layer, context, 'background');
    layers.add(digest, size);
    return withDeadline(deadline * 1000, context.signal, async (signal) => {
      try {
        const facts = await provenFacts(repository, layer, { ...context, signal }, 'normal');
        layers.done(digest);
        return facts;
      } catch (error) {
        throw isDeadline(signal) ? layers.notYet(inspector) : error;
      }
    });
  }

  return (repository, context) => {
    const layers = createLayersToRead();
    if (!context.inBackground) return (layer) => factsOf(repository, layer, layers, context);
    let before: Promise<unknown> = Promise.resolve();
    return (layer) => {
      // Reads that wait for each other here need no place in the queue of all reads.
      const read = before.then(() => factsOf(repository, layer, layers, context));
      before = read.catch(() => undefined);
      return read;
    };
  };
}
