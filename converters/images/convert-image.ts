import type { ConversionContext, Converted, Form } from '../conversion.ts';
import { type Conversion, imageConversions } from '../conversion-graph.ts';
import { ConversionError, excerpt } from '../errors.ts';
import { ociManifestDialect } from '../formats/oci/dialect.ts';
import { excessEntries } from '../formats/schema1/history-steps.ts';
import { schema2ManifestDialect } from '../formats/schema2/dialect.ts';
import { checkDocumentSize } from '../limits.ts';
import { loss, lossesOfImage } from '../losses.ts';
import type { Image, Loss, LossKind } from '../model.ts';
import { boundedPorts } from '../ports.ts';
import type { PreparedImage } from '../steps/step.ts';
import { steps, withProbedLayers } from '../steps/steps.ts';
import { toGeneric, toImageManifest, toSchema1, type WriteImage } from './write-image.ts';

/** The writer of each form. A new form is one line here and one in `conversion-graph.ts`. */
const writers: Readonly<Record<Form, WriteImage>> = {
  schema1: toSchema1,
  schema2: toImageManifest(schema2ManifestDialect),
  oci: toImageManifest(ociManifestDialect),
  generic: toGeneric,
};

/**
 * Converts one image.
 * @throws ConversionError when the form cannot hold the image, or the stored content is invalid.
 * @throws any error of a port, unchanged.
 */
export async function convertImage(image: Image, form: Form, context: ConversionContext): Promise<Converted> {
  if (!Object.hasOwn(writers, form)) throw unknownForm(form);
  const prepared = await prepareImage(image, form, context);
  const lost = lostKinds(imageConversions[form], image);
  await context.ports.turn?.(image.source.bytes.length + (prepared.config?.bytes.length ?? 0));
  const written = await writers[form](prepared, context, lost);
  checkDocumentSize(written.body, 'converted manifest');
  return {
    kind: 'image',
    form,
    ...written,
    source: image.source.digest,
    sourceType: image.source.mediaType,
    platformSpecific: false,
    losses: [...lossesOfImage(image, lost), ...lostHistory(prepared, lost)],
    children: [],
    blobs: prepared.blobs,
  };
}

/**
 * Runs the steps of a conversion, so that a writer can write the image.
 * @throws ConversionError as `convertImage`; any error of a port, unchanged.
 */
export async function prepareImage(
  image: Image,
  to: Form | 'v1',
  context: ConversionContext,
): Promise<PreparedImage> {
  const { dialect } = image.source;
  const ports = boundedPorts(context.ports);
  // Clients of schema 1 and registry API v1 cannot decompress zstd.
  const unpackZstd = context.unpackZstd || to === 'schema1' || to === 'v1';
  let prepared: PreparedImage = { image, config: undefined, blobs: [] };
  // An image of the requested dialect stays as it is, unless the client cannot decompress its layers.
  if (dialect === to && !unpackZstd) return prepared;
  if (context.probeLayers && unpackZstd) prepared = await withProbedLayers(prepared, ports, unpackZstd);
  for (const name of dialect === to ? imageConversions[to].sameDialectSteps : imageConversions[to].steps) {
    if (steps[name].dialects.includes(dialect)) prepared = await steps[name].run(prepared, ports, unpackZstd);
  }
  return prepared;
}

/** Kinds of content that an image loses in a conversion. */
export function lostKinds(conversion: Pick<Conversion, 'loses'>, { source }: Image): ReadonlySet<LossKind> {
  return new Set(source.dialect === 'v1' ? [] : conversion.loses[source.dialect]);
}

/** The history entries that a v1 chain leaves out (see `excessEntries`). */
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
