import { mapBounded } from '../concurrency.ts';
import type { ConversionContext, Converted, IndexForm } from '../conversion.ts';
import { ConversionError } from '../errors.ts';
import { limits } from '../limits.ts';
import { entryLoss, loss } from '../losses.ts';
import type { Index, IndexEntry, LossKind } from '../model.ts';
import { type ChildOutcome, type ChildTask, convertChild } from './convert-child.ts';
import { gzipTwinOf, isLabelledZstd, namesImage } from './entries.ts';
import { withPlatformTable } from './platform-table.ts';
import { countManifest, enterIndex, type Traversal } from './traversal.ts';

/** The entries of a new index, and the losses of all entries of the stored index. */
export interface Children extends ChildOutcome {
  /** The stored index, with platforms from its platform table. */
  readonly whole: Index;
}

/** Converts an inner index. */
export type ConvertNested = (
  index: Index,
  form: IndexForm,
  context: ConversionContext,
  traversal: Traversal,
) => Promise<Converted>;

/**
 * Converts the manifests that an index names, in the order of its entries. The result leaves out an entry that cannot
 * be converted, and reports it as a loss.
 * @throws ConversionError LIMIT when the tree is too large or too deep; DIGEST_MISMATCH when content has another
 * digest.
 * @throws any error of a port, unchanged.
 */
export async function convertChildren(
  index: Index,
  form: IndexForm,
  context: ConversionContext,
  traversal: Traversal,
  nested: ConvertNested,
): Promise<Children> {
  const within = enterIndex(index, traversal);
  const whole = await withPlatformTable(index, context.ports);
  const task: ChildTask = {
    form,
    context,
    nest: (inner) => nested(inner, form, context, within),
    onManifest: (model) => countManifest(model, within),
    onPlatformSpecific: () => {
      within.count.platformSpecific += 1;
    },
    flatten: (inner) => convertChildren(inner, form, context, within, nested),
  };
  const images = whole.dependencies.filter(namesImage);
  const outcomes = await mapBounded(whole.dependencies, limits.fetches, async (entry) => {
    const twin = context.preferGzip ? gzipTwinOf(entry, images, isLabelledZstd) : undefined;
    return twin ? leftOut(entry, 'The same image is there with gzip layers.') : tryConvertChild(entry, task);
  });
  const unusable = whole.unusable.map(({ path }) => loss('entries', path, unknownAlgorithm));
  const all = {
    children: outcomes.flatMap(({ children }) => children),
    losses: [...outcomes.flatMap(lossesOf), ...unusable],
  };
  return { whole, ...withoutStale(whole, all) };
}

const unknownAlgorithm = 'is left out: Its digest is of an algorithm that is not known here.';

function lossesOf({ losses }: ChildOutcome): ChildOutcome['losses'] {
  return losses;
}

/** Errors of one entry after which the others are still usable. DIGEST_MISMATCH and LIMIT fail the whole conversion. */
const tolerableCodes: ReadonlySet<string> = new Set([
  ...['INEXPRESSIBLE', 'NOT_AN_IMAGE', 'UNREADABLE', 'UNKNOWN_DIALECT', 'INVALID', 'AMBIGUOUS'],
  ...['SIGNATURE', 'UNAVAILABLE'],
]);

async function tryConvertChild(entry: IndexEntry, task: ChildTask): Promise<ChildOutcome> {
  try {
    return await convertChild(entry, task);
  } catch (error) {
    if (!(error instanceof ConversionError) || !tolerableCodes.has(error.code)) throw error;
    return leftOut(entry, error.message, error.code === 'UNAVAILABLE' ? 'missing' : 'entries');
  }
}

function leftOut(entry: IndexEntry, why: string, kind?: LossKind): ChildOutcome {
  return { children: [], losses: [entryLoss(entry, `is left out: ${why}`, kind)] };
}

/** Removes attestations of images that were converted or left out: an attestation refers to one digest. */
function withoutStale({ dependencies }: Index, { children, losses }: ChildOutcome): ChildOutcome {
  const before = new Set<string>(dependencies.map(({ digest }) => digest));
  const unchanged = new Set<string>(
    children.flatMap(({ entry, converted }) => (converted ? [] : [entry.digest])),
  );
  const stale = children.filter(({ entry }) => {
    const about = entry.attestation && entry.labels.get('vnd.docker.reference.digest')?.text;
    return about && before.has(about) && !unchanged.has(about);
  });
  return {
    children: children.filter((child) => !stale.includes(child)),
    losses: [
      ...losses,
      ...stale.flatMap(
        ({ entry }) => leftOut(entry, 'What it attests is not in the index as it was.').losses,
      ),
    ],
  };
}
