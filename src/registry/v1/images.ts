import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { fetchConfig } from '../../../converters/fetch.ts';
import type { V1Image } from '../../../converters/formats/schema1/v1-chain.ts';
import { convertToRegistryV1 } from '../../../converters/images/convert-to-v1.ts';
import type { Image } from '../../../converters/model.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ContentStore } from '../content-store.ts';
import type { LayerLabels } from '../layer-labels.ts';
import type { ManifestConverter } from '../manifests/converter.ts';
import type { PlatformSelector } from '../manifests/platform-selector.ts';
import { manifestRecipe } from '../manifests/recipe.ts';

/** A v1 image, and facts of its layer. */
export interface V1Part extends V1Image {
  /** Bytes of the layer as it is served; undefined for schema 1, a decompressed layer, and no layer. */
  readonly size: number | undefined;
  /** The layer is stored with zstd, which no client of API v1 decompresses. */
  readonly decompressed: boolean;
}

/** The stored manifests that v1 images are made from. */
export interface V1LayerPosition {
  /** The manifest that was requested, whose right opens the images: the image, or the index that names it. */
  readonly root: Digest;
  readonly image: Digest;
}

/** The v1 images that stand for one stored image, newest first. */
export interface V1Chain extends V1LayerPosition {
  readonly parts: readonly V1Part[];
}

/**
 * Stored images as v1 images. No rights are checked here: callers have proved the right to read the root.
 */
export interface V1Images {
  /** The v1 images of an image, or of an index for a platform. @throws ConversionError; RegistryError. */
  of(repository: RepositoryName, root: Digest, platform: Platform, context: RequestContext): Promise<V1Chain>;
  /** The v1 images of an image that an id was seen in. @throws ConversionError; RegistryError. */
  at(repository: RepositoryName, position: V1LayerPosition, context: RequestContext): Promise<V1Chain>;
  /** The position where this process has seen an id, in this repository and in no other (CVE-2014-8178). */
  seen(repository: RepositoryName, id: string): V1LayerPosition | undefined;
  /** Makes layers ready to be served decompressed, which takes reading them once. @throws RegistryError. */
  ready(repository: RepositoryName, chain: V1Chain, context: RequestContext): Promise<void>;
}

export interface V1ImagesOptions {
  readonly content: ContentStore;
  readonly converter: ManifestConverter;
  readonly platformSelector: PlatformSelector;
  readonly labels: LayerLabels;
  readonly memory: MemoryBudget;
}

export function createV1Images(options: V1ImagesOptions): V1Images {
  const { content, converter, platformSelector, labels, memory } = options;
  const chains = memory.table<readonly V1Part[]>('v1-images');
  const positions = memory.table<V1LayerPosition>('v1-images');

  async function partsOf(repository: RepositoryName, image: Digest, context: RequestContext) {
    const probeLayers = labels.areWrong(repository, image);
    const key = `${repository} ${image}${probeLayers ? ' probed' : ''}`;
    const known = chains.get(key);
    if (known) return known;
    const model = await content.getModel(repository, image, context);
    if (model.kind !== 'image') {
      throw new ConversionError({ code: 'INVALID', message: 'An image was expected', found: 'an index' });
    }
    const parts = await convertToV1(model, repository, converter.ports(repository, context), probeLayers);
    chains.set(key, parts);
    return parts;
  }

  async function at(
    repository: RepositoryName,
    { root, image }: V1LayerPosition,
    context: RequestContext,
  ): Promise<V1Chain> {
    const parts = await partsOf(repository, image, context);
    for (const { id } of parts) positions.set(`${repository} ${id}`, { root, image });
    return { root, image, parts };
  }

  return {
    at,
    seen: (repository, id) => positions.get(`${repository} ${id}`),
    async of(repository, root, platform, context) {
      const { entries } = await content.getManifestInfo(repository, root, context);
      const image = entries ? await platformSelector.select(repository, root, platform, context) : root;
      return at(repository, { root, image }, context);
    },
    async ready(repository, { root, image, parts }, context) {
      labels.check(repository, image, context);
      if (!parts.some(({ decompressed }) => decompressed)) return;
      // The image's schema 1 names the same layers decompressed; their recipes are cached with it.
      const { mediaType: sourceType } = await content.getManifestInfo(repository, image, context);
      const schema1 = { kind: 'image', form: 'schema1', tag: '', unpackZstd: true, layersOf: '' } as const;
      await converter.convert(
        repository,
        manifestRecipe({
          ...{ ...schema1, root, source: image, sourceType },
          ...(labels.areWrong(repository, image) ? { probeLayers: true } : {}),
        }),
        context,
      );
    },
  };
}

async function convertToV1(
  image: Image,
  repository: RepositoryName,
  ports: ConversionPorts,
  probeLayers: boolean,
): Promise<readonly V1Part[]> {
  const unread = withoutReading(image, ports);
  const context = { ports: unread, name: repository, tag: '', unpackZstd: true, probeLayers };
  const { images, blobs } = await convertToRegistryV1(image, context);
  const decompressed = new Set(blobs.map(({ digest }) => digest));
  const sizes = new Map(image.dependencies.map(({ digest, size }) => [digest, size]));
  return images.map((each) => ({
    ...each,
    size: sizes.get(each.blob),
    decompressed: decompressed.has(each.blob),
  }));
}

/**
 * Ports that take the facts of decompressed layers from the config, which is enough for ids: a client that requests all
 * tags must not have all their layers read. Before a layer is served, `ready` reads it and verifies the config.
 */
function withoutReading(image: Image, ports: ConversionPorts): ConversionPorts {
  // The layers of a generic manifest may be in another order than those of its config.
  if (image.target.kind !== 'config' || image.source.dialect === 'generic') return ports;
  return {
    ...ports,
    layerFacts: async (layer) => {
      const { diffIds } = await fetchConfig(image, ports);
      const diffId = diffIds?.[image.dependencies.findIndex(({ digest }) => digest === layer.digest)];
      if (diffId === undefined) return ports.layerFacts(layer);
      return { compression: 'zstd', packedSize: layer.size ?? 0, size: 0, diffId };
    },
  };
}
