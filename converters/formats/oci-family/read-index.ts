import { readAnnotations } from '../../annotations.ts';
import { optional, requiredItems } from '../../json/fields.ts';
import { checkDescriptorCount } from '../../limits.ts';
import type { Index, Source } from '../../model.ts';
import { manifestRoot } from '../../source.ts';
import { readDescriptor } from './descriptor.ts';
import { readEntries, readIndexEntry } from './index-entry.ts';

/**
 * Reads a manifest list or an OCI index.
 * @throws ConversionError INVALID, AMBIGUOUS or LIMIT.
 */
export function readImageIndex(source: Source): Index {
  const root = manifestRoot(source.document, source.dialect, 'index');
  const entries = requiredItems(root, 'manifests');
  checkDescriptorCount(entries.length, '$.manifests', source.dialect);
  const subject = optional(root, 'subject');
  return {
    kind: 'index',
    source,
    platformTable: undefined,
    ...readEntries(entries, readIndexEntry),
    labels: readAnnotations(root),
    subject: subject && readDescriptor(subject),
  };
}
