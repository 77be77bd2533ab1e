import type { Form } from '../../converters/convert.ts';
import type { Digest } from '../../converters/digest.ts';
import type { Loss } from '../../converters/model.ts';
import type { CacheEntry } from '../cache/cache.ts';

/** A manifest that was made, ready to be sent. */
export interface Product {
  readonly form: Form;
  readonly mediaType: string;
  /** What it is called: of signed schema 1 the digest of the payload. */
  readonly digest: Digest;
  readonly body: Uint8Array;
  /** The stored manifest that it was made from. */
  readonly source: Digest;
  readonly losses: readonly Loss[];
}

export function entryOfProduct({ body, ...facts }: Product): CacheEntry {
  return { facts, body };
}

export function productOfEntry({ facts, body }: CacheEntry): Product {
  return { ...(facts as unknown as Omit<Product, 'body'>), body };
}
