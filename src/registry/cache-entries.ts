import * as z from 'zod/mini';
import { type Digest, isDigest } from '../../converters/digest.ts';
import type { CacheEntry } from '../cache/cache.ts';
import { layerFactsFromEntry } from '../layers/layer-facts.ts';
import { hasDigest } from './verify-manifest.ts';

/** Kinds of entries that regshift makes, not those of upstream's content: small, and expensive to make again. */
const ours: ReadonlySet<string> = new Set([
  'recipe',
  'product',
  'made-config',
  'layer-facts',
  'compression',
  'labels',
]);

/** Whether an entry is of a kind that replicas share. */
export function isOurs(key: string): boolean {
  return ours.has(kindOf(key));
}

/** Every key begins with the kind of its entry. */
export function kindOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

/**
 * Whether an entry from outside of the process fits its key and has the shape that this version writes: content is
 * hashed again, and a recipe has all its fields.
 */
export function isIntact(key: string, entry: CacheEntry): boolean {
  const { facts, body } = entry;
  switch (kindOf(key)) {
    case 'recipe':
      return recipe.safeParse(facts.recipe).success;
    case 'product': {
      const known = product.safeParse(facts);
      return known.success && isNamed(body, known.data.digest, known.data.mediaType);
    }
    case 'manifest':
      return typeof facts.contentType === 'string' && isNamed(body, lastOf(key), facts.contentType);
    case 'made-config':
    case 'blob':
      return isNamed(body, lastOf(key), '');
    case 'layer-facts':
      return layerFactsFromEntry(entry) !== undefined;
    case 'compression':
      return compression.safeParse(facts.compression).success;
    case 'labels':
      return labels.safeParse(facts.labels).success;
    default:
      return false;
  }
}

const digest = z.custom<Digest>(isDigest);
const form = z.enum(['schema1', 'schema2', 'oci', 'generic']);
const compression = z.enum(['none', 'gzip', 'zstd']);
const labels = z.enum(['right', 'wrong']);

const converters = z.number();
const manifestRecipe = z.object({
  product: z.literal('manifest'),
  converters,
  root: digest,
  source: digest,
  sourceType: z.string(),
  kind: z.enum(['image', 'index']),
  form,
  tag: z.string(),
  unpackZstd: z.boolean(),
  flatten: z.optional(z.literal(true)),
  preferGzip: z.optional(z.literal(true)),
  dropAttestations: z.optional(z.enum(['also', 'alone'])),
  probeLayers: z.optional(z.literal(true)),
  layersOf: z.string(),
});

const recipe = z.discriminatedUnion('product', [
  manifestRecipe,
  z.object({ product: z.literal('config'), converters, root: digest, manifest: manifestRecipe }),
  z.object({ product: z.literal('layer'), converters, root: digest, packed: digest, size: z.number() }),
]);

const product = z.object({
  form,
  mediaType: z.string(),
  digest,
  source: digest,
  sourceType: z.string(),
  losses: z.array(z.unknown()),
  recipes: z.array(z.tuple([digest, recipe])),
});

/** The digest of an entry, which the keys of content end with. */
function lastOf(key: string): string {
  return key.slice(key.lastIndexOf(' ') + 1);
}

function isNamed(body: Uint8Array, name: string, contentType: string): boolean {
  return isDigest(name) && hasDigest(body, name, contentType);
}
