import type { Form, IndexForm } from '../../../converters/conversion.ts';

/** The values of `convert --to`. */
export const convertTargets = ['schema1', 'schema2', 'oci', 'generic', 'list', 'index', 'v1'] as const;
export type ConvertTarget = (typeof convertTargets)[number];

interface Target {
  /** The form of a converted image, or of one image of an index; undefined if the target holds only indexes. */
  readonly image: Form | 'v1' | undefined;
  /** The form of an index converted as a whole; undefined if the target holds one image. */
  readonly index: IndexForm | undefined;
}

/** Whether the clients that read a form read no zstd, as the proxy has it (`manifestRecipe`). */
export function needsPlainTars(form: Form | 'v1' | undefined): boolean {
  return form === 'schema1' || form === 'schema2' || form === 'v1';
}

export const targets: Readonly<Record<ConvertTarget, Target>> = {
  schema1: { image: 'schema1', index: undefined },
  schema2: { image: 'schema2', index: undefined },
  oci: { image: 'oci', index: undefined },
  generic: { image: 'generic', index: 'generic' },
  list: { image: undefined, index: 'schema2' },
  index: { image: undefined, index: 'oci' },
  v1: { image: 'v1', index: undefined },
};
