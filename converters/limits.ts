import { ConversionError, type Dialect } from './errors.ts';

/** What is read at all (formats.md, section 6), and how much of it at once. */
export const limits = {
  /** Bytes of a manifest or config; docker-registry and Docker Hub refuse larger manifests too. */
  documentBytes: 4 * 1024 * 1024,
  /** Objects and arrays in one another; no manifest or config comes near. */
  jsonDepth: 500,
  /** Values in one document: 4 MiB of `{},` would take a hundred times their size in memory. */
  jsonValues: 250_000,
  /** Docker ≤ 1.9 pulls 125 entries and then cannot create a container from them. */
  schema1Entries: 124,
  /** Descriptors in one manifest: layers, dependencies, or entries of an index. */
  descriptors: 1000,
  /** Signatures of one schema 1 manifest: each costs a public-key operation. */
  signatures: 32,
  indexDepth: 8,
  /** Manifests below one index, at all depths. */
  indexNodes: 1000,
  /** Fetches under way at once, in the whole of a conversion. */
  fetches: 6,
} as const;

/** @throws ConversionError LIMIT when a manifest or config is larger than is read. */
export function checkDocumentSize(bytes: Uint8Array, what: string, dialect?: Dialect): void {
  if (bytes.length <= limits.documentBytes) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: `The ${what} is too large to be read`,
    dialect,
    found: `${bytes.length} bytes`,
    expected: `at most ${limits.documentBytes} bytes`,
  });
}

/** @throws ConversionError LIMIT when a manifest names more than is followed. */
export function checkDescriptorCount(count: number, path: string, dialect: Dialect | undefined): void {
  if (count <= limits.descriptors) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: 'The manifest names too many things',
    dialect,
    path,
    found: String(count),
    expected: `at most ${limits.descriptors}`,
  });
}
