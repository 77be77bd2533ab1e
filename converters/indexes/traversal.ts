import type { Digest } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Index, Model } from '../model.ts';

/** A position in a tree of nested indexes. */
export interface Traversal {
  /** Digests of the indexes from the outermost to this position. */
  readonly ancestors: readonly Digest[];
  /**
   * Counters of manifests, of their bytes, and of those converted for one platform alone; all positions in one tree
   * share them.
   */
  readonly count: { nodes: number; bytes: number; platformSpecific: number };
}

export function newTraversal(): Traversal {
  return { ancestors: [], count: { nodes: 0, bytes: 0, platformSpecific: 0 } };
}

/**
 * The position inside an index.
 * @throws ConversionError LIMIT when the tree is too large or too deep, INVALID when an index contains itself.
 */
export function enterIndex(index: Index, { ancestors, count }: Traversal): Traversal {
  count.nodes += index.dependencies.length;
  const { digest } = index.source;
  if (ancestors.includes(digest)) {
    throw new ConversionError({ code: 'INVALID', message: 'The index contains itself', found: digest });
  }
  if (ancestors.length < limits.indexDepth && count.nodes <= limits.indexNodes) {
    return { ancestors: [...ancestors, digest], count };
  }
  throw tooLarge(
    `depth ${ancestors.length + 1}, ${count.nodes} manifests`,
    `at most depth ${limits.indexDepth} and ${limits.indexNodes} manifests`,
  );
}

/** Counts the bytes of a manifest in the tree. @throws ConversionError LIMIT when all manifests together are too large. */
export function countManifest({ source }: Model, { count }: Traversal): void {
  count.bytes += source.bytes.length;
  if (count.bytes <= limits.indexBytes) return;
  throw tooLarge(`${count.bytes} bytes of manifests`, `at most ${limits.indexBytes} bytes of manifests`);
}

function tooLarge(found: string, expected: string): ConversionError {
  const message = 'The index is too large or too deep to be followed';
  return new ConversionError({ code: 'LIMIT', message, found, expected });
}
