import type { Form, IndexForm } from './conversion.ts';
import type { ConversionCode } from './errors.ts';
import { mediaTypes } from './media-types.ts';
import type { LossKind } from './model.ts';
import type { StepName } from './steps/steps.ts';

export type { Converted, Form } from './conversion.ts';

/** Version of the writers' output. Each change of a byte raises it, and caches then discard older results. */
export const convertersVersion = 1;

/** The conversion of images of every dialect to one form. A part of `converters/README.md` is generated from it. */
export interface Conversion {
  /** Steps for an image of another dialect, in this order. `steps` says which dialects each step applies to. */
  readonly steps: readonly StepName[];
  /**
   * Steps for an image of the same dialect, for clients that cannot decompress zstd (all clients of schema 1 and
   * registry API v1). Other clients get the stored bytes.
   */
  readonly sameDialectSteps: readonly StepName[];
  /** Kinds of content that the form cannot hold, by the dialect of the stored image. */
  readonly loses: Readonly<Record<Form, readonly LossKind[]>>;
  /** Images that the form cannot hold. */
  readonly refuses: readonly ConversionRefusal[];
}

export interface ConversionRefusal {
  readonly code: ConversionCode;
  /** The end of a sentence that begins with "an image". */
  readonly image: string;
}

const toV1Steps: readonly StepName[] = ['verify', 'order', 'probe', 'decompress', 'read'];
const toConfigSteps: readonly StepName[] = ['verify', 'check', 'order', 'make', 'probe', 'decompress'];
const ociOnly: readonly LossKind[] = ['annotations', 'subject', 'artifactType', 'data'];

const withV1Entries = {
  steps: toV1Steps,
  sameDialectSteps: ['verify'],
  loses: {
    schema1: [],
    schema2: [...ociOnly, 'urls', 'history', 'unknown'],
    oci: [...ociOnly, 'urls', 'history', 'unknown'],
    generic: ['annotations', 'attachments', 'urls', 'history', 'unknown'],
  },
  refuses: [
    { code: 'INEXPRESSIBLE', image: 'with more than 124 layers, which Docker ≤ 1.9 cannot run' },
    { code: 'INEXPRESSIBLE', image: 'with an encrypted layer, which no client of this form can decrypt' },
    { code: 'INEXPRESSIBLE', image: 'with a foreign layer, whose URL this form cannot state' },
    { code: 'INVALID', image: 'whose history has more entries with a layer than there are layers' },
  ],
} as const satisfies Conversion;

/** The conversion graph of images. A new form is one entry here. */
export const imageConversions: Readonly<Record<Form | 'v1', Conversion>> = {
  schema1: withV1Entries,
  schema2: {
    steps: toConfigSteps,
    sameDialectSteps: ['decompress'],
    loses: {
      schema1: ['signatures'],
      schema2: [],
      oci: [...ociOnly, 'unknown'],
      generic: ['annotations', 'attachments', 'unknown'],
    },
    refuses: [
      { code: 'INEXPRESSIBLE', image: 'with an encrypted layer, for which Docker has no media type' },
      {
        code: 'INEXPRESSIBLE',
        image: 'with a foreign layer compressed with zstd, for which Docker has no media type',
      },
    ],
  },
  oci: {
    steps: toConfigSteps,
    sameDialectSteps: ['decompress'],
    loses: { schema1: ['signatures'], schema2: [], oci: [], generic: ['attachments', 'unknown'] },
    refuses: [],
  },
  generic: {
    steps: ['verify', 'check', 'make', 'decompress'],
    sameDialectSteps: ['order', 'probe', 'decompress'],
    loses: {
      schema1: ['signatures'],
      schema2: ['subject', 'artifactType', 'data', 'unknown'],
      oci: ['subject', 'artifactType', 'data', 'unknown'],
      generic: [],
    },
    refuses: [],
  },
  v1: { ...withV1Entries, loses: { ...withV1Entries.loses, schema1: ['signatures'] } },
};

/** The conversion of indexes of every dialect to one form. The manifests that an index names are converted first. */
export interface IndexConversion {
  readonly mediaType: string;
  /** Media type of an image in this form. An entry of this type needs no conversion. */
  readonly imageType: string;
  /** Whether each entry must state a platform. Docker never selects an entry without one. */
  readonly needsPlatform: boolean;
  /** Whether an entry may be an index. If not, the entries of an inner index replace that index. */
  readonly nests: boolean;
  /** Whether attestations and artifacts stay. Docker before 23 mistakes them for images. */
  readonly keepsNonImages: boolean;
  /** Kinds of content that the form cannot hold, by the dialect of the stored index. */
  readonly loses: Readonly<Record<IndexForm, readonly LossKind[]>>;
}

/** The conversion graph of indexes. Schema 1 and registry API v1 have no indexes; for them, select an image first. */
export const indexConversions: Readonly<Record<IndexForm, IndexConversion>> = {
  schema2: {
    mediaType: mediaTypes.dockerList,
    imageType: mediaTypes.schema2,
    needsPlatform: true,
    nests: false,
    keepsNonImages: false,
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
    keepsNonImages: true,
    loses: { schema2: ['entries'], oci: ['entries'], generic: ['unknown', 'entries'] },
  },
  generic: {
    mediaType: mediaTypes.generic,
    imageType: mediaTypes.generic,
    needsPlatform: true,
    nests: true,
    keepsNonImages: false,
    loses: {
      schema2: ['subject', 'artifactType', 'data', 'platform', 'unknown', 'entries'],
      oci: ['subject', 'artifactType', 'data', 'platform', 'unknown', 'entries'],
      generic: ['entries'],
    },
  },
};
