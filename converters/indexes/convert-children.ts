import { mapBounded } from '../concurrency.ts';
import type { ConversionContext, Converted, IndexForm } from '../conversion.ts';
import { ConversionError } from '../errors.ts';
import { limits } from '../limits.ts';
import { loss } from '../losses.ts';
import type { Index, IndexEntry, LossKind } from '../model.ts';
import { type ChildOutcome, type ChildTask, convertChild } from './convert-child.ts';
import { withPlatformTable } from './platform-table.ts';
import { enterIndex, type Traversal } from './traversal.ts';

export interface Children extends ChildOutcome {
  /** The index, with the platforms that its table names. */
  readonly whole: Index;
}

/** Converts an index that stands in an index. */
export type ConvertNested = (
  index: Index,
  form: IndexForm,
  context: ConversionContext,
  traversal: Traversal,
) => Promise<Converted>;

/**
 * Converts what an index names, in the order of its entries. An entry that cannot be converted is left out and
 * reported.
 * @throws ConversionError when the tree is too large or too deep, or content is not what its digest says; or what a
 * port throws.
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
    open: (inner) => convertChildren(inner, form, context, within, nested),
  };
  const outcomes = await mapBounded(whole.dependencies, limits.fetches, (entry) => attempt(entry, task));
  const all = { children: outcomes.flatMap(({ children }) => children), losses: outcomes.flatMap(lossesOf) };
  return { whole, ...withoutStale(whole, all) };
}

function lossesOf({ losses }: ChildOutcome): ChildOutcome['losses'] {
  return losses;
}

/** Faults of one child that leave the others usable; a wrong digest is never among them. */
const leavable: ReadonlySet<string> = new Set([
  ...['INEXPRESSIBLE', 'NOT_AN_IMAGE', 'UNREADABLE', 'UNKNOWN_DIALECT', 'INVALID', 'AMBIGUOUS'],
  ...['SIGNATURE', 'UNAVAILABLE'],
]);

async function attempt(entry: IndexEntry, task: ChildTask): Promise<ChildOutcome> {
  try {
    return await convertChild(entry, task);
  } catch (error) {
    if (!(error instanceof ConversionError) || !leavable.has(error.code)) throw error;
    return leftOut(entry, error.message, error.code === 'UNAVAILABLE' ? 'missing' : 'entries');
  }
}

function leftOut({ field, digest }: IndexEntry, why: string, kind: LossKind = 'entries'): ChildOutcome {
  return { children: [], losses: [loss(kind, field?.path ?? digest, `is left out: ${why}`)] };
}

/** An attestation is about one digest: it does not hold of an image that was converted, or that is left out. */
function withoutStale({ dependencies }: Index, { children, losses }: ChildOutcome): ChildOutcome {
  const were = new Set<string>(dependencies.map(({ digest }) => digest));
  const stay = new Set<string>(children.flatMap(({ entry, converted }) => (converted ? [] : [entry.digest])));
  const stale = children.filter(({ entry }) => {
    const about = entry.attestation && entry.labels.get('vnd.docker.reference.digest')?.text;
    return about && were.has(about) && !stay.has(about);
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
