import { readDescriptor, readIndexEntry, readLabels } from './descriptor.ts';
import { ConversionError } from './errors.ts';
import { asItems, optional, required } from './fields.ts';
import { limits } from './limits.ts';
import type { Index, Source } from './model.ts';
import { manifestRoot } from './source.ts';

/**
 * Reads what manifest lists and OCI indexes share.
 * @throws ConversionError INVALID, AMBIGUOUS or LIMIT.
 */
export function readImageIndex(source: Source): Index {
  const root = manifestRoot(source, ['config', 'layers', 'target', 'dependencies', 'fsLayers']);
  const entries = asItems(required(root, 'manifests'));
  if (entries.length > limits.indexNodes) {
    throw new ConversionError({
      code: 'LIMIT',
      message: 'The index has too many entries',
      dialect: source.dialect,
      found: `${entries.length} entries`,
      expected: `at most ${limits.indexNodes}`,
    });
  }
  const subject = optional(root, 'subject');
  return {
    kind: 'index',
    source,
    platformTable: undefined,
    dependencies: entries.map(readIndexEntry),
    labels: readLabels(root, 'annotations'),
    subject: subject && readDescriptor(subject),
  };
}
