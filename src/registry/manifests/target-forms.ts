import type { Converted } from '../../../converters/conversion.ts';
import { convert } from '../../../converters/convert.ts';
import type { Model } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';

/** A form in which a pushed manifest is stored where the registry does not take the pushed one. */
export type TargetForm = 'schema2' | 'oci';

/**
 * The forms in which a pushed manifest may be stored, the likeliest first. Registries that refuse schema 1 today take
 * OCI (distribution 3, GHCR, zot), and some of them nothing else.
 */
export function targetFormsOf({ source: { dialect } }: Model): readonly [TargetForm, ...TargetForm[]] {
  if (dialect === 'oci') return ['schema2'];
  return dialect === 'schema2' ? ['oci'] : ['oci', 'schema2'];
}

/**
 * Converts a pushed manifest to the form that is stored. The result depends on the content alone, so that it can be made
 * again: then its digest tells whether the registry has the image.
 * @throws ConversionError; any error of a port, unchanged.
 */
export function convertPushed(
  model: Model,
  form: TargetForm,
  name: RepositoryName,
  ports: ConversionPorts,
): Promise<Converted> {
  // Registries that take schema 2 alone are older than zstd layers, and so are the programs that pull from them.
  return convert(model, form, { ports, name, tag: '', unpackZstd: form === 'schema2' });
}
