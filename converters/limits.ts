import { ConversionError, type Dialect } from './errors.ts';

/** What is read at all (formats.md, section 6). Sizes in bytes. */
export const limits = {
  /** Manifest or config; docker-registry and Docker Hub refuse larger manifests too. */
  documentBytes: 4 * 1024 * 1024,
  /** Docker ≤ 1.9 pulls 125 entries and then cannot create a container from them. */
  schema1Entries: 124,
  indexDepth: 8,
  indexNodes: 1000,
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
