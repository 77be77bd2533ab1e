import { checkContext, isModel } from './arguments.ts';
import type { ConversionContext, Converted, Form } from './conversion.ts';
import { ConversionError } from './errors.ts';
import { convertImage } from './images/convert-image.ts';
import { convertIndex } from './indexes/convert-index.ts';
import type { Model } from './model.ts';
import { readManifest } from './read.ts';

/**
 * Converts a stored manifest of any dialect, image or index.
 * @param stored the result of `readManifest`, or the bytes of the manifest.
 * @throws ConversionError when the form cannot hold the manifest, or the stored content is invalid. Schema 1 cannot
 * hold an index: select an image of the index with `chooseImage` first.
 * @throws any error of a port, unchanged.
 */
export async function convert(
  stored: Model | Uint8Array,
  form: Form,
  context: ConversionContext,
): Promise<Converted> {
  checkContext(context);
  const model = isModel(stored) ? stored : readManifest(stored);
  if (model.kind === 'image') return convertImage(model, form, context);
  if (form !== 'schema1') return convertIndex(model, form, context);
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'Schema 1 holds the image of one platform: choose one of the index first',
    dialect: 'schema1',
    found: `an index of ${model.dependencies.length} entries`,
  });
}
