import { LRUCache } from 'lru-cache';
import type { Digest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import type { Platform } from '../../converters/platform.ts';
import { readManifest } from '../../converters/read.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { writeRegistryV1 } from '../../converters/registry-v1/write.ts';
import { emptyLayer } from '../../converters/schema1/empty-layer.ts';
import type { V1Image } from '../../converters/schema1/v1-chain.ts';
import { verifySchema1 } from '../../converters/schema1/verify.ts';
import type { Content } from '../stored/content.ts';
import type { Caller } from '../stored/resolve.ts';
import type { Chooser } from './chooser.ts';
import type { Product } from './product.ts';
import { manifestRecipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

/** A v1 image, and how many bytes its layer has as it is served. */
export interface V1Part extends V1Image {
  /** Absent where the manifest does not say: of schema 1, and of layers that are served unpacked. */
  readonly size: number | undefined;
}

/** The v1 images that stand for one stored image, newest first, and the manifest whose right opens them. */
export interface V1Chain {
  readonly root: Digest;
  readonly parts: readonly V1Part[];
}

/** What an id was seen in: enough to take the same image apart again. */
export interface V1Place {
  /** What upstream was asked for: the image, or the index that names it. */
  readonly root: Digest;
  readonly image: Digest;
}

/**
 * Stored images as v1 images. Rights are not asked about here: whoever calls has proved that this caller may read
 * the root.
 */
export interface V1Images {
  /** What an index or an image is to a client of this platform. @throws ConversionError; Failure. */
  of(repository: RepositoryName, root: Digest, platform: Platform, caller: Caller): Promise<V1Chain>;
  /** The same of an image that an id was seen in. @throws ConversionError; Failure. */
  at(repository: RepositoryName, place: V1Place, caller: Caller): Promise<V1Chain>;
  /** Where this process has seen an id, in this repository and in no other (CVE-2014-8178). */
  seen(repository: RepositoryName, id: string): V1Place | undefined;
}

export interface V1ImagesOptions {
  readonly content: Content;
  readonly workshop: Workshop;
  readonly chooser: Chooser;
}

/** In characters of JSON: a chain has a few KiB, and could have megabytes. */
const rememberedCharacters = 8_000_000;
const rememberedIds = 50_000;

export function createV1Images({ content, workshop, chooser }: V1ImagesOptions): V1Images {
  const chains = new LRUCache<string, readonly V1Part[]>({
    maxSize: rememberedCharacters,
    sizeCalculation: (parts) => parts.reduce((sum, { json }) => sum + json.length + 300, 300),
  });
  const places = new LRUCache<string, V1Place>({ max: rememberedIds });

  async function partsOf(repository: RepositoryName, place: V1Place, caller: Caller) {
    const key = `${repository} ${place.image}`;
    const known = chains.get(key);
    if (known) return known;
    // By way of schema 1, so that an image has the same ids through API v1 and v2, and layers are unpacked alike.
    const recipe = manifestRecipe({
      source: place.image,
      root: place.root,
      kind: 'image',
      form: 'schema1',
      tag: '',
      unpackZstd: true,
      layersOf: '',
    });
    const product = await workshop.make(repository, recipe, caller);
    const sizes = await sizesOf(repository, place.image, caller);
    const parts = (await takenApart(product)).map((each) => ({ ...each, size: sizes.get(each.blob) }));
    chains.set(key, parts);
    return parts;
  }

  async function sizesOf(repository: RepositoryName, image: Digest, caller: Caller) {
    const { bytes, contentType } = await content.manifest(repository, image, caller);
    const stored = readManifest(bytes, contentType);
    const layers = stored.kind === 'image' ? stored.dependencies : [];
    return new Map<Digest, number | undefined>([
      ...layers.map(({ digest, size }) => [digest, size] as const),
      [emptyLayer.digest, emptyLayer.bytes.length],
    ]);
  }

  async function at(repository: RepositoryName, place: V1Place, caller: Caller): Promise<V1Chain> {
    const parts = await partsOf(repository, place, caller);
    for (const { id } of parts) places.set(`${repository} ${id}`, place);
    return { root: place.root, parts };
  }

  return {
    at,
    seen: (repository, id) => places.get(`${repository} ${id}`),
    async of(repository, root, platform, caller) {
      const { entries } = await content.form(repository, root, caller);
      const image = entries ? await chooser.choose(repository, root, platform, caller) : root;
      return at(repository, { root, image }, caller);
    },
  };
}

/** @throws ConversionError SIGNATURE for an image stored as schema 1 whose signature does not hold. */
async function takenApart({ body, mediaType }: Product): Promise<V1Image[]> {
  const model = readManifest(body, mediaType);
  if (model.kind !== 'image') {
    throw new ConversionError({ code: 'INVALID', message: 'An image was expected', found: 'an index' });
  }
  await verifySchema1(model);
  return writeRegistryV1(model, undefined);
}
