import type { Form, IndexForm } from '../../../converters/conversion.ts';

export const convertTargets = ['schema1', 'schema2', 'oci', 'generic', 'list', 'index', 'v1'] as const;
export type ConvertTarget = (typeof convertTargets)[number];

interface Target {
  /** What becomes of an image, or of one image of an index. */
  readonly image: Form | 'v1' | undefined;
  /** What becomes of an index as a whole. */
  readonly index: IndexForm | undefined;
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
