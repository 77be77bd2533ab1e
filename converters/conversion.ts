import type { Digest } from './digest.ts';
import type { Loss } from './model.ts';
import type { Platform } from './platform.ts';
import type { ConversionPorts } from './ports.ts';
import type { DerivedBlob } from './steps/step.ts';

/** A family of manifests that a client may be given, and that an image may be stored in. */
export type Form = 'schema1' | 'schema2' | 'oci' | 'generic';

/** Forms that have an index of their own. */
export type IndexForm = Exclude<Form, 'schema1'>;

/** What a conversion depends on beside the manifest itself. */
export interface ConversionContext {
  readonly ports: ConversionPorts;
  /** The repository's name upstream, and the tag asked for ("" for a digest): schema 1 holds both. */
  readonly name: string;
  readonly tag: string;
  /** For a client that cannot unpack zstd: such layers are named as the plain tars that they hold. */
  readonly unpackZstd: boolean;
  /** In an index, read layers of this platform's image alone; of every one where it is absent. */
  readonly layersOf?: Platform | undefined;
}

/** A manifest in the form asked for. */
export interface Converted {
  readonly kind: 'image' | 'index';
  readonly form: Form;
  readonly mediaType: string;
  /** What registries call it: of signed schema 1, the digest of the payload. */
  readonly digest: Digest;
  /** What is sent. */
  readonly body: Uint8Array;
  /** The stored manifest that it was made from. */
  readonly source: Digest;
  /** The type that it was read as, which its document need not say. */
  readonly sourceType: string;
  /** What the form could not carry. Of an index, those of its children are with the children. */
  readonly losses: readonly Loss[];
  /** Converted manifests that this index names and upstream does not know. */
  readonly children: readonly Converted[];
  /** Blobs that this manifest names and upstream does not know. */
  readonly blobs: readonly DerivedBlob[];
}
