import type { Labels } from './annotations.ts';
import type { Bytes } from './bytes.ts';
import type { PublicJwk } from './crypto/web-key.ts';
import type { Digest } from './digest.ts';
import type { Dialect } from './errors.ts';
import type { RawDocument, RawObject } from './json/document.ts';
import type { Field } from './json/fields.ts';
import type { Compression } from './media-types.ts';
import type { Platform } from './platform.ts';

/**
 * A manifest of any dialect: a target, its dependencies, and labels. This is the shape of the generic manifest of
 * distribution proposals 62 and 993. The reader of each dialect returns a model, and each writer takes one; readers
 * and writers share nothing else.
 */
export type Model = Image | Index;

/** The image of one platform. */
export interface Image {
  readonly kind: 'image';
  readonly source: Source;
  /** The config of the image; in schema 1 the v1 images, which replace a config. */
  readonly target: ConfigTarget | V1Target;
  /** The layers, base first. */
  readonly dependencies: readonly Layer[];
  /** Dependencies that are not layers (a licence, a signature, another manifest). Only generic manifests have them. */
  readonly attachments: readonly Descriptor[];
  readonly labels: Labels;
  /** The manifest that this manifest refers to (OCI 1.1). */
  readonly subject: Descriptor | undefined;
}

/** Several images under one name, one per platform: a manifest list, an OCI index, or a fat generic manifest. */
export interface Index {
  readonly kind: 'index';
  readonly source: Source;
  /** The target of a fat generic manifest. This blob can name the platforms of entries without platform labels. */
  readonly platformTable: Descriptor | undefined;
  readonly dependencies: readonly IndexEntry[];
  /** Entries whose digest is of an unknown algorithm. No conversion has them. */
  readonly unusable: readonly Field<RawObject>[];
  readonly labels: Labels;
  readonly subject: Descriptor | undefined;
}

/** The document of a model. Writers of the same format keep its white space, key order and unknown keys. */
export interface Source {
  readonly dialect: Dialect;
  /** The media type by the content of the body; the Content-Type can differ. */
  readonly mediaType: string;
  readonly bytes: Bytes;
  /** The digest that registries use. For signed schema 1 it is the digest of the payload. */
  readonly digest: Digest;
  readonly document: RawDocument;
}

/** A target that is a blob: the config of an image, or a v1 image JSON of 2015. */
export interface ConfigTarget {
  readonly kind: 'config';
  readonly descriptor: Descriptor;
}

/** The v1 images of a schema 1 manifest, which has no config. */
export interface V1Target {
  readonly kind: 'v1';
  /** Empty if the manifest is unsigned. The reader does not verify them; `verifySchema1` does. */
  readonly signatures: readonly JsonWebSignature[];
  /** Newest first, as in schema 1. */
  readonly entries: readonly V1Entry[];
  readonly platform: Platform | undefined;
}

/** A reference to content: its digest, media type and size. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Size in bytes; `undefined` in schema 1, which does not state it. */
  readonly size: number | undefined;
  readonly urls: readonly string[];
  readonly labels: Labels;
  /** The descriptor in its document, if a document contains it. */
  readonly field: Field<RawObject> | undefined;
}

/** The descriptor of a layer, and its compression. */
export interface Layer extends Descriptor {
  readonly compression: Compression;
  readonly foreign: boolean;
  readonly encrypted: boolean;
}

/** An entry of an index, and its platform. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
  readonly artifactType: string | undefined;
  /** Whether the entry is a build attestation (buildkit: platform unknown/unknown, or an annotation). */
  readonly attestation: boolean;
}

/** A kind of content that a form can lose; the table in `conversion-graph.ts` says which forms lose which. */
export type LossKind =
  /** Annotations or labels. */
  | 'annotations'
  /** The manifest that an OCI manifest or index refers to. */
  | 'subject'
  | 'artifactType'
  /** Content embedded in a descriptor (OCI image-spec 1.1, descriptor.md). */
  | 'data'
  /** Other URLs of a blob. */
  | 'urls'
  /** Dependencies of a generic manifest that are not layers. */
  | 'attachments'
  /** History entries without a layer. */
  | 'history'
  /** Signatures of schema 1, which sign only the schema 1 document. */
  | 'signatures'
  /** Entries of an index whose manifest is not available. A later conversion may include them. */
  | 'missing'
  /** Entries of an index that the form cannot hold. */
  | 'entries'
  /** Details of an entry's platform. */
  | 'platform'
  /** Members that no dialect defines. */
  | 'unknown';

/** A piece of content that the requested form cannot hold. The result lists it. */
export interface Loss {
  readonly kind: LossKind;
  /**
   * Path in the stored manifest, such as `$.annotations`. It leads on into the config, such as `$.config.history[0]`, and
   * into an index whose entries replace it, such as `$.manifests[1].manifests[0]`.
   */
  readonly path: string;
  /** The rest of a sentence that begins with the path, for people. */
  readonly reason: string;
  /** The content by name, such as `the image for linux/arm64`. Absent for a member of a manifest, which the path names. */
  readonly name?: string;
}

/** One signature block of a libtrust "pretty JWS"; the strings are as written. */
export interface JsonWebSignature {
  readonly algorithm: string;
  readonly key: PublicKey;
  readonly signature: string;
  readonly protected: string;
}

/** The public key in a signature block. */
export type PublicKey =
  | { readonly kind: 'jwk'; readonly jwk: PublicJwk; readonly keyId: string | undefined }
  /** The first certificate of a chain, DER in base64. regshift does not check the subject or issuer. */
  | { readonly kind: 'certificate'; readonly base64: string };

/** One entry of a schema 1 `history`: a v1 image, from the JSON in `v1Compatibility`. */
export interface V1Entry {
  /** 64 hex digits. */
  readonly id: string;
  /** The id of the parent image; "" for the base. */
  readonly parent: string;
  /** Whether the image has no files. Registries that convert schema 2 set this mark. */
  readonly throwaway: boolean;
  readonly document: RawDocument;
  readonly root: RawObject;
}
