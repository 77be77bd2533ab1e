import type { ConversionContext, Converted, IndexForm } from '../conversion.ts';
import { indexConversions } from '../conversion-graph.ts';
import { digestOfLong } from '../digest.ts';
import { ConversionError, excerpt } from '../errors.ts';
import { ociIndexDialect } from '../formats/oci/dialect.ts';
import { dockerListDialect } from '../formats/schema2/dialect.ts';
import { checkDocumentSize } from '../limits.ts';
import { lossesOfIndex } from '../losses.ts';
import type { Index, Loss, LossKind } from '../model.ts';
import { boundedPorts } from '../ports.ts';
import { convertChildren } from './convert-children.ts';
import { newTraversal, type Traversal } from './traversal.ts';
import { toFatGeneric, toImageIndex, type WriteIndex } from './write-index.ts';

export type { IndexForm } from '../conversion.ts';

/** The writer of each form. A new form is one line here and one in `conversion-graph.ts`. */
const writers: Readonly<Record<IndexForm, WriteIndex>> = {
  schema2: toImageIndex(dockerListDialect),
  oci: toImageIndex(ociIndexDialect),
  generic: toFatGeneric,
};

/**
 * Converts an index or manifest list, after the manifests that it names. The result leaves out an entry that cannot be
 * converted, and reports it as a loss.
 * @throws ConversionError when no entry is left, when the tree is too large or too deep, or when content has another
 * digest.
 * @throws any error of a port, unchanged.
 */
export async function convertIndex(
  index: Index,
  form: IndexForm,
  context: ConversionContext,
): Promise<Converted> {
  if (!Object.hasOwn(writers, form)) throw noIndex(form);
  return convertWithin(index, form, { ...context, ports: boundedPorts(context.ports) }, newTraversal());
}

async function convertWithin(
  index: Index,
  form: IndexForm,
  context: ConversionContext,
  traversal: Traversal,
): Promise<Converted> {
  const { whole, children, losses } = await convertChildren(index, form, context, traversal, convertWithin);
  if (children.length === 0) throw nothingLeft(losses);
  const lost = lostKinds(form, index);
  await context.ports.turn?.(index.source.bytes.length);
  const { body, blobs } = writers[form](whole, children, lost);
  checkDocumentSize(body, 'converted index');
  return {
    kind: 'index',
    form,
    mediaType: indexConversions[form].mediaType,
    digest: await digestOfLong(body),
    body,
    source: index.source.digest,
    sourceType: index.source.mediaType,
    platformSpecific: traversal.count.platformSpecific > 0,
    losses: [
      ...losses,
      ...lossesOfIndex(
        whole,
        children.map(({ entry }) => entry),
        lost,
      ),
    ],
    children: children.flatMap(({ converted }) => (converted ? [converted] : [])),
    blobs,
  };
}

function lostKinds(form: IndexForm, { source: { dialect } }: Index): ReadonlySet<LossKind> {
  return new Set(dialect === 'schema1' || dialect === 'v1' ? [] : indexConversions[form].loses[dialect]);
}

function noIndex(form: string): ConversionError {
  const known = form === 'schema1' || form === 'v1';
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: known
      ? 'The form holds the image of one platform: choose one of the index first'
      : 'There is no such form',
    found: excerpt(form),
    expected: Object.keys(writers).join(', '),
  });
}

function nothingLeft(losses: readonly Loss[]): ConversionError {
  const reasons = losses.map(({ path, reason }) => `${path} ${reason}`).join(' ');
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'No image of the index can be given in this form',
    found: reasons.slice(0, 400) || 'an empty index',
  });
}
