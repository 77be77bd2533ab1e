import type { Digest } from '../../../converters/digest.ts';
import type { Reference, RepositoryName, Tag } from '../../../converters/reference.ts';
import { pause } from '../../concurrency/deadline.ts';
import { ignoring, isUpstreamFailing } from '../../errors.ts';
import type { DecompressedLayer } from '../../layers/decompressed-layer.ts';
import type { LayerService } from '../../layers/layer-service.ts';
import type { LayerStore } from '../../layers/store/layer-store.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ClientRequest } from '../client-request.ts';
import { type PlatformSettings, platformFor } from '../manifests/client-platform.ts';
import type { ManifestConverter } from '../manifests/converter.ts';
import { imageBelow } from '../manifests/image-below.ts';
import type { ManifestResult, ManifestService } from '../manifests/manifests.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import type { Resolver } from '../resolver.ts';
import type { V1Services } from '../v1/v1-services.ts';

export interface WarmerOptions extends PlatformSettings {
  readonly resolver: Pick<Resolver, 'resolve' | 'countsPulls'>;
  readonly versions: Pick<RepositoryVersions, 'increment'>;
  readonly manifests: ManifestService;
  readonly v1: Pick<V1Services, 'search'>;
  readonly converter: Pick<ManifestConverter, 'recipeOf'>;
  readonly layers: Pick<LayerService, 'readIntoStore'>;
  readonly store: LayerStore | undefined;
}

/** The push of a tag, as its registry reports it. */
export interface PushedTag {
  /** Absent where the registry does not say. */
  readonly digest: Digest | undefined;
  /** Milliseconds since the report. */
  readonly age: number;
}

/** Makes content before a client requests it, by the steps of the client's own pull. */
export interface Warmer {
  /**
   * Makes the manifests of a pull by tag, and writes the layers that it decompresses to the store. One layer is read
   * after the other, after those of clients.
   * @param request as the client sends it, with a context `inBackground`.
   * @param repository by its name upstream.
   * @param pushed the push: docker-registry reports a push before it moves the tag (distribution,
   *   registry/handlers/manifests.go, `PutManifest`).
   * @returns `counted` where upstream counts pulls: then nothing is made.
   * @throws RegistryError; ConversionError.
   */
  warm(
    request: ClientRequest,
    repository: RepositoryName,
    tag: Tag,
    pushed: PushedTag,
  ): Promise<'made' | 'counted'>;
}

/** The wait for what is found out about an image in the background of its first pull, in milliseconds. */
const checksMs = 3_000;
const lookMs = 100;

/** The waits for a tag that is being moved, in milliseconds. */
const moveMs = [100, 300, 1_000, 3_000];
const longestMoveMs = moveMs.reduce((sum, milliseconds) => sum + milliseconds);

/** The wait for the store, which may still write a layer that was just read, in milliseconds. */
const writeMs = 1_000;

export function createWarmer(options: WarmerOptions): Warmer {
  const { resolver, versions, manifests, v1, converter, layers, store } = options;

  /**
   * Waits until the tag names what was pushed. A HEAD costs no pull. An image that stood in a queue for longer has had
   * this time, or its tag has moved on since.
   */
  async function untilMoved(
    repository: RepositoryName,
    tag: Tag,
    { digest: pushed, age }: PushedTag,
    context: RequestContext,
  ): Promise<void> {
    if (age >= longestMoveMs) {
      versions.increment(repository);
      return;
    }
    for (const milliseconds of moveMs) {
      const found = await resolver.resolve(repository, { kind: 'tag', tag }, context).catch(unlessMoving);
      // A client may have asked before the tag moved.
      if (found) versions.increment(repository);
      if (found && (pushed === undefined || found.digest === pushed)) return;
      await pause(milliseconds, context.signal);
      versions.increment(repository);
    }
  }

  async function pull(
    request: ClientRequest,
    repository: RepositoryName,
    tag: Tag,
  ): Promise<readonly Digest[]> {
    const result = await settledManifest(request, repository, { kind: 'tag', tag });
    const below = imageBelow(result.body, result.mediaType, platformFor(options, request));
    if (below === undefined) return result.derived;
    const image = await settledManifest(request, repository, { kind: 'digest', digest: below });
    return image.derived;
  }

  /** The manifest that takes the place of the first one after its layers' first bytes have been looked at. */
  async function settledManifest(
    request: ClientRequest,
    repository: RepositoryName,
    reference: Reference,
  ): Promise<ManifestResult> {
    const first = await manifests.get(request, repository, reference);
    for (let waited = 0; first.isProvisional?.() && waited < checksMs; waited += lookMs) {
      await pause(lookMs, request.context.signal);
    }
    return first.isSuperseded?.() ? manifests.get(request, repository, reference) : first;
  }

  async function pullV1(
    request: ClientRequest,
    repository: RepositoryName,
    tag: Tag,
  ): Promise<readonly Digest[]> {
    const { context } = request;
    const found = await v1.search.tagged(repository, tag, platformFor(options, request), context);
    await v1.search.ready(repository, found, context);
    return found.chain.parts.filter(({ decompressed }) => decompressed).map(({ blob }) => blob);
  }

  async function storeLayer(
    to: LayerStore,
    repository: RepositoryName,
    layer: DecompressedLayer,
    context: RequestContext,
  ): Promise<void> {
    if ((await to.has(layer.digest)) !== undefined) return;
    await pause(writeMs, context.signal);
    if ((await to.has(layer.digest)) !== undefined || !to.takes(layer.size)) return;
    await layers.readIntoStore(repository, layer, context);
  }

  return {
    async warm(request, repository, tag, pushed) {
      const { context } = request;
      await untilMoved(repository, tag, pushed, context);
      // The response to a HEAD tells whether upstream counts pulls.
      await resolver.resolve(repository, { kind: 'tag', tag }, context);
      if (resolver.countsPulls(context)) return 'counted';
      const pullAs = request.client.profile.apiV2 ? pull : pullV1;
      const derived = await pullAs(request, repository, tag);
      for (const digest of store ? derived : []) {
        const recipe = await converter.recipeOf(repository, digest, context);
        if (store === undefined || recipe?.product !== 'layer') continue;
        await storeLayer(
          store,
          repository,
          { compressed: recipe.packed, digest, size: recipe.size },
          context,
        );
      }
      return 'made';
    },
  };
}

/**
 * A tag that is not there yet, or is being moved: docker-registry 2.8.2 writes the tag's file in place, and answers 500
 * where it finds it empty (seen with an empty `current/link`).
 */
const unlessMoving = ignoring((error) => isAbsence(error) || isUpstreamFailing(error));
