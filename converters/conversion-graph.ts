import type { Form, IndexForm } from './conversion.ts';
import type { ConversionCode } from './errors.ts';
import { mediaTypes } from './media-types.ts';
import type { LossKind } from './model.ts';
import type { StepName } from './steps/steps.ts';

export type { Converted, Form } from './conversion.ts';

/** Raised with each change of a byte of any writer: what was remembered of older ones is made anew. */
export const convertersVersion = 1;

/** A way into a form, from wherever an image is stored. `converters/README.md` is printed from these. */
export interface Conversion {
  /** What is done, in this order, to an image of another dialect; each where it applies (see `steps`). */
  readonly steps: readonly StepName[];
  /** What is done to an image of this very dialect, where it is not given as it is. */
  readonly own: readonly StepName[];
  /** What goes, by the dialect that the image is stored in. */
  readonly loses: Readonly<Record<Form, readonly LossKind[]>>;
  /** Images that the form cannot carry. */
  readonly refuses: readonly ConversionRefusal[];
}

export interface ConversionRefusal {
  readonly code: ConversionCode;
  /** The end of a sentence that begins with "an image". */
  readonly image: string;
}

const toV1Steps: readonly StepName[] = ['verify', 'order', 'sniff', 'unpack', 'read'];
const toConfigSteps: readonly StepName[] = ['verify', 'check', 'order', 'make', 'sniff', 'unpack'];
const ociOnly: readonly LossKind[] = ['annotations', 'subject', 'artifactType', 'data'];

const withV1Entries = {
  steps: toV1Steps,
  own: ['verify'],
  loses: {
    schema1: [],
    schema2: ['urls', 'history', 'unknown'],
    oci: [...ociOnly, 'urls', 'history', 'unknown'],
    generic: ['annotations', 'attachments', 'urls', 'history', 'unknown'],
  },
  refuses: [
    { code: 'INEXPRESSIBLE', image: 'of more than 124 layers, which Docker ≤ 1.9 cannot run' },
    { code: 'INEXPRESSIBLE', image: 'with an encrypted layer, which no client of the form can decrypt' },
    { code: 'INEXPRESSIBLE', image: 'with a foreign layer, which the form cannot point to' },
    { code: 'INVALID', image: 'whose history does not account for its layers' },
  ],
} as const satisfies Conversion;

/** The conversion graph of images; the only place that knows it. A new form is one line here. */
export const imageConversions: Readonly<Record<Form | 'v1', Conversion>> = {
  schema1: withV1Entries,
  schema2: {
    steps: toConfigSteps,
    own: ['unpack'],
    loses: {
      schema1: ['signatures'],
      schema2: [],
      oci: [...ociOnly, 'unknown'],
      generic: ['annotations', 'attachments', 'unknown'],
    },
    refuses: [
      { code: 'INEXPRESSIBLE', image: 'with an encrypted layer, for which Docker has no type' },
      { code: 'INEXPRESSIBLE', image: 'with a foreign layer packed by zstd, for which Docker has no type' },
    ],
  },
  oci: {
    steps: toConfigSteps,
    own: ['unpack'],
    loses: { schema1: ['signatures'], schema2: [], oci: [], generic: ['attachments', 'unknown'] },
    refuses: [],
  },
  generic: {
    steps: ['verify', 'check', 'make', 'unpack'],
    own: ['order', 'sniff', 'unpack'],
    loses: {
      schema1: ['signatures'],
      schema2: ['unknown'],
      oci: ['subject', 'artifactType', 'data', 'unknown'],
      generic: [],
    },
    refuses: [],
  },
  v1: { ...withV1Entries, loses: { ...withV1Entries.loses, schema1: ['signatures'] } },
};

/** A way into a form of index, over children that are converted first. */
export interface IndexConversion {
  readonly mediaType: string;
  /** The type of an image in this form: an entry of this type stays as it is. */
  readonly imageType: string;
  /** Docker takes an entry without a platform for one that fits nobody. */
  readonly needsPlatform: boolean;
  /** Whether indexes may stand in it; where not, their entries take their place. */
  readonly nests: boolean;
  /** Whether entries that are no images (attestations, artifacts) stay. Docker before 23 takes them for images. */
  readonly keepsOthers: boolean;
  /** What goes, by the dialect that the index is stored in. */
  readonly loses: Readonly<Record<IndexForm, readonly LossKind[]>>;
}

/** The conversion graph of indexes. Schema 1 and registry API v1 have none: a platform is chosen first. */
export const indexConversions: Readonly<Record<IndexForm, IndexConversion>> = {
  schema2: {
    mediaType: mediaTypes.dockerList,
    imageType: mediaTypes.schema2,
    needsPlatform: true,
    nests: false,
    keepsOthers: false,
    loses: {
      schema2: ['entries'],
      oci: [...ociOnly, 'unknown', 'entries'],
      generic: ['annotations', 'unknown', 'entries'],
    },
  },
  oci: {
    mediaType: mediaTypes.ociIndex,
    imageType: mediaTypes.ociManifest,
    needsPlatform: false,
    nests: true,
    keepsOthers: true,
    loses: { schema2: ['entries'], oci: ['entries'], generic: ['unknown', 'entries'] },
  },
  generic: {
    mediaType: mediaTypes.generic,
    imageType: mediaTypes.generic,
    needsPlatform: true,
    nests: true,
    keepsOthers: false,
    loses: {
      schema2: ['platform', 'unknown', 'entries'],
      oci: ['subject', 'artifactType', 'data', 'platform', 'unknown', 'entries'],
      generic: ['entries'],
    },
  },
};
