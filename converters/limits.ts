import { ConversionError, type Dialect } from './errors.ts';

/** Upper bounds of the documents that regshift reads, and of concurrent fetches. */
export const limits = {
  /** Bytes of one manifest or config. docker-registry and Docker Hub have the same limit for manifests. */
  documentBytes: 4 * 1024 * 1024,
  /** Nesting depth of objects and arrays; real manifests and configs stay far below. */
  jsonDepth: 500,
  /**
   * Values in one document, with those of the documents inside its strings. A document of so many values takes some 30
   * ms of a slow core, in which a server does nothing else. An index of `descriptors` entries with six annotations each
   * has 18,000; an image of 127 layers, the most that Docker runs, with ten annotations each, has 2,000; an artifact
   * with one layer for each of 3,000 files has 18,000, and Amazon ECR takes 500 layers.
   */
  jsonValues: 20_000,
  /**
   * Escapes in the strings of one document, with those of the documents inside its strings; each takes some 40 ns in
   * all. Schema 1 has two escapes for each quote of a label that is JSON itself, as buildpacks write it: this is enough
   * for a label of a megabyte with a quote at every fifth character.
   */
  jsonEscapes: 400_000,
  /** Bytes of one document that are not UTF-8. Images of another encoding have a few, in the names of people. */
  invalidBytes: 10_000,
  /** History entries in schema 1. Docker ≤ 1.9 pulls 125 entries, but cannot create a container from them. */
  schema1Entries: 124,
  /** Layers, dependencies, or index entries in one manifest. */
  descriptors: 1000,
  /** Members of a manifest that a conversion loses and lists one by one. */
  losses: 1000,
  /** Signatures of one schema 1 manifest; each costs a public-key operation. */
  signatures: 32,
  /** Levels of nested indexes, including the outermost index. */
  indexDepth: 8,
  /** Manifests below one index, at all levels together. */
  indexNodes: 1000,
  /**
   * Bytes of the manifests below one index, at all levels together: the result of a conversion has all of them in
   * memory. An index can name one manifest of 4 MiB a thousand times; a thousand images have some 30 KiB each at most.
   */
  indexBytes: 32 * 1024 * 1024,
  /** Concurrent fetches of one conversion. */
  fetches: 6,
} as const;

/** @throws ConversionError LIMIT when a manifest or config is larger than `limits.documentBytes`. */
export function checkDocumentSize(bytes: Uint8Array, what: string, dialect?: Dialect): void {
  checkDocumentLength(bytes.length, what, dialect);
}

/** @throws ConversionError LIMIT when a length in bytes is above `limits.documentBytes`. */
export function checkDocumentLength(length: number, what: string, dialect?: Dialect): void {
  if (length <= limits.documentBytes) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: `The ${what} is too large to be read`,
    dialect,
    found: `${length} bytes`,
    expected: `at most ${limits.documentBytes} bytes`,
  });
}

/** @throws ConversionError LIMIT when a manifest has more than `limits.descriptors` descriptors. */
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
