import type { ConversionContext, Converted, Form } from '../conversion.ts';
import { type Conversion, imageConversions } from '../conversion-graph.ts';
import { ConversionError, excerpt } from '../errors.ts';
import { ociFamily } from '../formats/oci/write.ts';
import { excessEntries } from '../formats/schema1/history-steps.ts';
import { schema2Family } from '../formats/schema2/write.ts';
import { loss, lossesOfImage } from '../losses.ts';
import type { Image, Loss, LossKind } from '../model.ts';
import { boundedPorts } from '../ports.ts';
import type { PreparedImage } from '../steps/step.ts';
import { steps } from '../steps/steps.ts';
import { toFamily, toGeneric, toSchema1, type WriteImage } from './write-image.ts';

/** The writer of each form: a new form is one line here, and one in `convert.ts`. */
const writers: Readonly<Record<Form, WriteImage>> = {
  schema1: toSchema1,
  schema2: toFamily(schema2Family),
  oci: toFamily(ociFamily),
  generic: toGeneric,
};

/**
 * Converts one image.
 * @throws ConversionError when the form cannot carry it, or what is stored is broken; or what a port throws.
 */
export async function convertImage(image: Image, form: Form, context: ConversionContext): Promise<Converted> {
  if (!Object.hasOwn(writers, form)) throw unknownForm(form);
  const prepared = await prepareImage(image, form, context);
  const lost = lostInto(imageConversions[form], image);
  const written = await writers[form](prepared, context, lost);
  return {
    kind: 'image',
    form,
    ...written,
    source: image.source.digest,
    sourceType: image.source.mediaType,
    losses: [...lossesOfImage(image, lost), ...lostHistory(prepared, lost)],
    children: [],
    blobs: prepared.blobs,
  };
}

/** Takes an image through the steps of a way. */
export async function prepareImage(
  image: Image,
  to: Form | 'v1',
  context: ConversionContext,
): Promise<PreparedImage> {
  const { dialect } = image.source;
  const ports = boundedPorts(context.ports);
  // No client that reads nothing but v1 images unpacks zstd.
  const unpackZstd = context.unpackZstd || to === 'schema1' || to === 'v1';
  let prepared: PreparedImage = { image, config: undefined, blobs: [] };
  // Of its own dialect, an image is given as it is unless its layers are in the way.
  if (dialect === to && !unpackZstd) return prepared;
  for (const name of dialect === to ? imageConversions[to].own : imageConversions[to].steps) {
    if (steps[name].of.includes(dialect)) prepared = await steps[name].run(prepared, ports, unpackZstd);
  }
  return prepared;
}

/** The kinds of things that go when an image takes a way. */
export function lostInto(way: Pick<Conversion, 'loses'>, { source }: Image): ReadonlySet<LossKind> {
  return new Set(source.dialect === 'v1' ? [] : way.loses[source.dialect]);
}

export function lostHistory({ config }: PreparedImage, lost: ReadonlySet<LossKind>): Loss[] {
  if (!lost.has('history')) return [];
  return [...excessEntries(config?.history ?? [])].map((index) =>
    loss('history', `$.config.history[${index}]`),
  );
}

function unknownForm(form: string): ConversionError {
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'There is no such form',
    found: excerpt(form),
    expected: Object.keys(writers).join(', '),
  });
}
