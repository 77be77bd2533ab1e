import type { Bytes } from './bytes.ts';
import type { Digest } from './digest.ts';
import type { Loss } from './model.ts';
import type { Platform } from './platform.ts';
import type { ConversionPorts } from './ports.ts';
import type { DerivedBlob } from './steps/step.ts';

/** A manifest format that regshift reads and writes. Schema 2 and OCI include their indexes. */
export type Form = 'schema1' | 'schema2' | 'oci' | 'generic';

/** Forms that have an index. */
export type IndexForm = Exclude<Form, 'schema1'>;

/** The inputs of a conversion in addition to the manifest. */
export interface ConversionContext {
  readonly ports: ConversionPorts;
  /** The repository's name upstream. A schema 1 manifest contains it. */
  readonly name: string;
  /** The requested tag, or "" if the request has a digest. A schema 1 manifest contains it. */
  readonly tag: string;
  /** Whether the client cannot decompress zstd. The manifest then names the plain tars inside zstd layers. */
  readonly unpackZstd: boolean;
  /** With `unpackZstd`, whether the first bytes of a layer decide that it is zstd, in place of its media type. */
  readonly probeLayers?: boolean | undefined;
  /** In an index, limits the reading of layers to the image of this platform. Without it, all images are read. */
  readonly layersOf?: Platform | undefined;
  /** Whether the entries of an index inside an index stand in its place, also where the form can hold an index. */
  readonly flattenIndexes?: boolean | undefined;
  /** In an index with `unpackZstd`, leaves out the images labelled as zstd whose platform has a gzip image, too. */
  readonly preferGzip?: boolean | undefined;
  /**
   * In an index, leaves out the attestations: `also` beside the conversion of the images, `alone` with all other
   * entries as they are stored, so that no manifest is fetched.
   */
  readonly dropAttestations?: 'also' | 'alone' | undefined;
}

/** A manifest converted to the requested form. */
export interface Converted {
  readonly kind: 'image' | 'index';
  readonly form: Form;
  readonly mediaType: string;
  /** The digest that registries use. For signed schema 1 it is the digest of the payload. */
  readonly digest: Digest;
  /** The bytes of the manifest. */
  readonly body: Bytes;
  /** Digest of the stored manifest that was converted. */
  readonly source: Digest;
  /** Media type of the stored manifest, even if its document states none. */
  readonly sourceType: string;
  /**
   * Whether `layersOf` decided which images this index has, because their layers had to be read. Otherwise the result is
   * the same for every platform.
   */
  readonly platformSpecific: boolean;
  /** Content that the form could not hold. The losses of an index do not include those of its `children`. */
  readonly losses: readonly Loss[];
  /** Converted manifests that this index names and that upstream does not have. */
  readonly children: readonly Converted[];
  /** Blobs that this manifest names and that upstream does not have. */
  readonly blobs: readonly DerivedBlob[];
}
